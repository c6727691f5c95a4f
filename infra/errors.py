"""What can go wrong with the servers, in words for the person at the terminal.

InfraError
├── ConfigurationError    the environment asks for something impossible
├── BackupFailed          a backup was not made, or cannot be read
├── FolderInUse           another stack works in the same folder
└── ServerFailed          a server did not start, or a download was not what was expected
"""


class InfraError(Exception):
    """Base of all; its text is meant to be shown as it is."""


class ConfigurationError(InfraError):
    pass


class BackupFailed(InfraError):
    pass


class FolderInUse(InfraError):
    pass


class ServerFailed(InfraError):
    pass
