"""A proxy on loopback whose connections can be cut: closed, reset, or silenced."""
import contextlib
import selectors
import socket
import struct
import threading

CHUNK = 1 << 16
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close() sends a reset


class WireCutter:
    """Forwards 127.0.0.1:self.port to another port until close()."""

    def __init__(self, target_port):
        self.target = ("127.0.0.1", target_port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.pairs = []
        self.accepted = 0
        self.silent = False
        self.closing = False
        self.thread = threading.Thread(target=self.accept_all, daemon=True)
        self.thread.start()

    def accept_all(self):
        listener = self.listener
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            with self.lock:
                if self.closing:
                    near.close()
                    return
                self.accepted += 1
                silent = self.silent
            if silent:  # connected, and that is all
                self.keep((near, near))
                continue
            try:
                far = socket.create_connection(self.target)
            except OSError:
                near.close()
                continue
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pair = (near, far)
            self.keep(pair)
            for source, sink in (pair, pair[::-1]):
                threading.Thread(target=self.forward, args=(source, sink), daemon=True).start()

    def keep(self, pair):
        with self.lock:
            self.pairs.append(pair)

    def forward(self, source, sink):
        selector = selectors.DefaultSelector()
        try:
            selector.register(source, selectors.EVENT_READ)
            while True:
                selector.select()
                data = source.recv(CHUNK)
                if self.silent:
                    return  # what has been read is lost, as on a wire that was cut
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                sink.sendall(data)
        except (OSError, ValueError):
            pass  # cut
        finally:
            selector.close()

    def cut(self, reset=True):
        """Ends every connection that there is."""
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for end in {end for pair in pairs for end in pair}:
            if reset:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            else:
                with contextlib.suppress(OSError):  # it has ended by itself
                    end.shutdown(socket.SHUT_RDWR)
            end.close()
        return len(pairs)

    def silence(self):
        """From now on no byte of any connection arrives, and nobody is told."""
        self.silent = True

    def speak(self):
        """New connections work again; the old ones stay silent."""
        self.silent = False

    def vanish(self):
        """As a machine on which nobody listens any more; connections live on."""
        with self.lock:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
        self.thread.join()

    def reappear(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.thread = threading.Thread(target=self.accept_all, daemon=True)
        self.thread.start()

    def close(self):
        with self.lock:
            self.closing = True
        self.listener.close()
        self.cut()
