package dev.penjing.compression.ranks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/// Signs of life between rank 0 and each other rank, beside the exchanges of tensors, so that every
/// rank soon knows which one is gone: an exchange that fails knows its neighbour at most, and one
/// whose network is cut fails not at all.
///
/// What goes over the sockets are lines: `beat`, four times in the time of a silence; `bye` from
/// who ends as it should; `failed MESSAGE` from who ends otherwise; `lost MESSAGE` from rank 0,
/// which hears of all, to the rest.
final class RankWatch implements AutoCloseable {
    private static final int BEATS = 4;

    private final int rank;
    private final Duration silence;
    private final List<Peer> peers;
    private final AtomicReference<Optional<String>> lost = new AtomicReference<>(Optional.empty());
    private volatile boolean closed;

    /// A rank at the other end of a socket, which has said who it is.
    static final class Peer implements AutoCloseable {
        private final int rank;
        private final String name;
        private final Socket socket;
        private final BufferedReader in;
        private final Writer out;

        /// @param name what a person finds it by: process and host
        Peer(int rank, String name, Socket socket, BufferedReader in) throws IOException {
            this.rank = rank;
            this.name = name;
            this.socket = socket;
            this.in = in;
            this.out = writer(socket);
        }

        int rank() {
            return rank;
        }

        InetAddress localAddress() {
            return socket.getLocalAddress();
        }

        synchronized void send(String line) throws IOException {
            out.write(line + "\n");
            out.flush();
        }

        @Override
        public String toString() {
            return "rank %d (%s)".formatted(rank, name);
        }

        @Override
        public void close() {
            try {
                socket.close();
            } catch (IOException e) {
                // whatever it was, nobody talks over it any more
            }
        }
    }

    /// What can be read from a socket, line by line.
    static BufferedReader reader(Socket socket) throws IOException {
        return new BufferedReader(
                new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
    }

    static Writer writer(Socket socket) throws IOException {
        return new OutputStreamWriter(socket.getOutputStream(), StandardCharsets.UTF_8);
    }

    /// @param peers all others for rank 0, rank 0 for the others
    RankWatch(int rank, Duration silence, Collection<Peer> peers) throws IOException {
        this.rank = rank;
        this.silence = silence;
        this.peers = List.copyOf(peers);
        for (Peer peer : peers) {
            peer.socket.setSoTimeout(Math.toIntExact(silence.toMillis()));
            daemon("listens to " + peer, () -> listen(peer));
        }
        daemon("beats", this::beat);
    }

    private static void daemon(String name, Runnable work) {
        Thread.ofPlatform().daemon().name(name).start(work);
    }

    private void beat() {
        try {
            while (!closed) {
                peers.forEach(peer -> tell(peer, "beat"));
                Thread.sleep(silence.dividedBy(BEATS));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// Who cannot be told is soon missed by its own silence.
    private static void tell(Peer peer, String line) {
        try {
            peer.send(line);
        } catch (IOException e) {
            peer.close();
        }
    }

    private void listen(Peer peer) {
        try {
            for (String line = peer.in.readLine(); line != null; line = peer.in.readLine()) {
                if (line.equals("bye")) {
                    return;
                } else if (line.startsWith("failed ")) {
                    lose(peer + " failed: " + line.substring("failed ".length()));
                } else if (line.startsWith("lost ")) {
                    lose(line.substring("lost ".length()));
                }
            }
            lose(peer + " ended in the middle of the run");
        } catch (SocketTimeoutException e) {
            String heard = "%s was not heard of for %d s: ".formatted(peer, silence.toSeconds());
            lose(
                    heard
                            + (rank == 0
                                    ? "it hangs, or is cut off from the network"
                                    : "it hangs, or it or this rank, %d, is cut off from the network"
                                            .formatted(rank)));
        } catch (IOException e) {
            lose(peer + " ended in the middle of the run");
        }
    }

    /// The first that is lost counts: the rest follow from it. Rank 0 tells the others before it
    /// knows itself, since it may end at once.
    private synchronized void lose(String message) {
        if (!closed && lost.get().isEmpty()) {
            if (rank == 0) {
                peers.forEach(peer -> tell(peer, "lost " + message));
            }
            lost.set(Optional.of(message));
        }
    }

    /// @throws RankLost if a rank is gone
    void check() {
        Optional<String> message = lost.get();
        if (message.isPresent()) {
            throw new RankLost(message.get());
        }
    }

    /// Tells the others that this rank ends, and why.
    void fail(String why) {
        String line = why.lines().findFirst().orElse("");
        String self = rank == 0 ? "lost rank 0 failed: " : "failed ";
        if (lost.get().isEmpty()) {
            peers.forEach(peer -> tell(peer, self + line));
        }
    }

    /// Ends as one should: no other takes this rank for lost.
    @Override
    public void close() {
        closed = true;
        peers.forEach(peer -> tell(peer, "bye"));
        peers.forEach(Peer::close);
    }
}
