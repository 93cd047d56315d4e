"""What ./dev bench does with the programs of bench/: run, compare, show. Standard library only."""
