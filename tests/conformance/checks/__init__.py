"""One module per program that Longwire did not write, plus what they share."""
