"""Locks by which the other side sees that the owner of an object lives."""

import fcntl


def is_owned(descriptor):
    """Returns true while a process holds the exclusive lock through another open of the same object."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False
