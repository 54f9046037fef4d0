"""The control channel: JSON lines on stdin and stdout."""

import json
import queue
import sys
import threading

_lock = threading.Lock()


def say(**message):
    with _lock:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


class Channel:
    """Reads lines in its own thread, even while the main thread waits for something else."""

    def __init__(self):
        self._messages = queue.Queue()
        self._listeners = {}
        threading.Thread(target=self._read, name="stdin", daemon=True).start()

    def on(self, kind, listener):
        self._listeners[kind] = listener

    def _read(self):
        for line in sys.stdin:
            try:
                message = json.loads(line)
            except ValueError:
                continue
            listener = self._listeners.get(message.get("type"))
            if listener is None:
                self._messages.put(message)
            else:
                listener(message)
        self.end()

    def end(self):
        """Ends the channel: waiting threads get None."""
        self._messages.put(None)

    def take(self, limit_s):
        """Returns the next message that has no listener; None at the end, or after the time-out."""
        try:
            return self._messages.get(timeout=limit_s)
        except queue.Empty:
            return None
