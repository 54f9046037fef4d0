"""Locks that show the other side whether the owner of an object lives."""

import fcntl


def is_owned(descriptor):
    """Returns True while a process holds the exclusive lock through another descriptor of the same object."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False
