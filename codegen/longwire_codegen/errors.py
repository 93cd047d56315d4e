"""The one error of the generator: what is wrong, in which file, at which line."""


class SpecError(Exception):
    def __init__(self, path: str, line: int, message: str):
        super().__init__(f"{path}:{line}: error: {message}")
        self.path = path
        self.line = line
        self.message = message
