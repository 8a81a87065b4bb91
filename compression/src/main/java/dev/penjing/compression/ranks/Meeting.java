package dev.penjing.compression.ranks;

import dev.penjing.compression.ranks.RankWatch.Peer;
import dev.penjing.model.Closer;
import dev.penjing.model.PenjingException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.javacpp.SizeTPointer;
import org.bytedeco.javacpp.chrono.Milliseconds;
import org.bytedeco.pytorch.TCPStore;
import org.bytedeco.pytorch.TCPStoreOptions;

/// How ranks come together: rank 0 serves a `TCPStore` of libtorch, as PyTorch's launchers have it,
/// and says in it where it listens for the others' signs of life; once all have come, it says so to
/// each. A rank that is started anew before that may come again.
///
/// @param store which Gloo finds the ranks' addresses in
/// @param address of this machine that the others reach
record Meeting(TCPStore store, Collection<Peer> peers, InetAddress address) {
    private static final String WATCH = "penjing/watch";
    private static final Duration AGAIN = Duration.ofMillis(200);

    /// @throws RankLost if not all have come in time, with the names of those missing
    static Meeting of(RankPlace place, Duration limit) {
        long deadline = System.nanoTime() + limit.toNanos();
        return place.rank() == 0 ? host(place, deadline, limit) : visit(place, deadline, limit);
    }

    private static int millisTo(long deadline) {
        return (int) Math.clamp((deadline - System.nanoTime()) / 1_000_000, 1, Integer.MAX_VALUE);
    }

    private static boolean past(long deadline) {
        return System.nanoTime() >= deadline;
    }

    private static TCPStore store(RankPlace place, boolean serves, long deadline) {
        try (PointerScope scope = new PointerScope()) {
            TCPStoreOptions options =
                    new TCPStoreOptions()
                            .port((short) place.port())
                            .isServer(serves)
                            .numWorkers(new SizeTPointer(1).put(place.worldSize()))
                            .waitWorkers(false)
                            .timeout(new Milliseconds(millisTo(deadline)));
            return new TCPStore(place.address(), options).retainReference();
        }
    }

    /// What a person finds this process by.
    static String self() {
        String host;
        try {
            host = InetAddress.getLocalHost().getHostName();
        } catch (IOException e) {
            host = "an unnamed host";
        }
        return "process %d on %s".formatted(ProcessHandle.current().pid(), host);
    }

    private static Meeting host(RankPlace place, long deadline, Duration limit) {
        try (Closer closer = new Closer()) {
            TCPStore store = closer.own(serve(place, deadline), TCPStore::releaseReference);
            Map<Integer, Peer> came = new TreeMap<>();
            closer.own(came, all -> all.values().forEach(Peer::close));
            try (ServerSocket door = door(place)) {
                store.set(WATCH, Integer.toString(door.getLocalPort()));
                while (came.size() < place.worldSize() - 1) {
                    door.setSoTimeout(millisTo(deadline));
                    for (Peer peer : welcome(door.accept(), place).stream().toList()) {
                        if (came.containsKey(peer.rank())) {
                            came.get(peer.rank()).close(); // it was started anew
                        }
                        came.put(peer.rank(), peer);
                    }
                }
                for (Peer peer : came.values()) {
                    peer.send("go " + self());
                }
            } catch (SocketTimeoutException e) {
                throw new RankLost(
                        "rank %s did not come to rank 0 at %s:%d within %d s"
                                .formatted(
                                        missing(came.keySet(), place.worldSize()),
                                        place.address(),
                                        place.port(),
                                        limit.toSeconds()));
            }
            closer.keep();
            return new Meeting(store, came.values(), reached(came.values()));
        } catch (IOException e) {
            throw new RankLost("a rank left before all had come: " + e.getMessage());
        }
    }

    /// Open to other machines only where ranks may be on some.
    private static ServerSocket door(RankPlace place) throws IOException {
        InetAddress address = InetAddress.getByName(place.address());
        int waiting = place.worldSize() + 16;
        return address.isLoopbackAddress()
                ? new ServerSocket(0, waiting, address)
                : new ServerSocket(0, waiting);
    }

    private static TCPStore serve(RankPlace place, long deadline) {
        try {
            return store(place, true, deadline);
        } catch (RuntimeException e) {
            throw new PenjingException(
                    "rank 0 cannot listen at port %d: is another run at work there? choose another MASTER_PORT"
                            .formatted(place.port()),
                    e);
        }
    }

    private static String missing(Collection<Integer> came, int worldSize) {
        List<String> missing = new ArrayList<>();
        for (int rank = 1; rank < worldSize; rank++) {
            if (!came.contains(rank)) {
                missing.add(Integer.toString(rank));
            }
        }
        return String.join(", ", missing);
    }

    /// Who comes says `rank R of N NAME`; who says anything else is none of us.
    private static Optional<Peer> welcome(Socket socket, RankPlace place) throws IOException {
        socket.setSoTimeout(5000);
        socket.setTcpNoDelay(true);
        BufferedReader in = RankWatch.reader(socket);
        try {
            String[] words = String.valueOf(in.readLine()).split(" ", 5);
            if (words.length == 5
                    && words[0].equals("rank")
                    && words[3].equals(Integer.toString(place.worldSize()))) {
                int rank = Integer.parseInt(words[1]);
                if (rank > 0 && rank < place.worldSize()) {
                    return Optional.of(new Peer(rank, words[4], socket, in));
                }
            }
        } catch (IOException | NumberFormatException e) {
            // as one that says something else
        }
        socket.close();
        return Optional.empty();
    }

    /// Several ranks may share rank 0's machine; an address that others reach serves these too.
    private static InetAddress reached(Collection<Peer> peers) {
        return peers.stream()
                .map(Peer::localAddress)
                .filter(address -> !address.isLoopbackAddress())
                .findFirst()
                .orElseGet(() -> peers.iterator().next().localAddress());
    }

    private static Meeting visit(RankPlace place, long deadline, Duration limit) {
        while (true) {
            try (Closer closer = new Closer()) {
                knock(place, deadline);
                TCPStore store =
                        closer.own(store(place, false, deadline), TCPStore::releaseReference);
                int port = Integer.parseInt(store.get_to_str(WATCH));
                Peer host = closer.own(enter(place, port, deadline), Peer::close);
                closer.keep();
                return new Meeting(store, List.of(host), host.localAddress());
            } catch (IOException | RuntimeException e) {
                if (System.nanoTime() >= deadline) {
                    throw new RankLost(
                            "rank %d did not meet rank 0 at %s:%d within %d s: %s"
                                    .formatted(
                                            place.rank(),
                                            place.address(),
                                            place.port(),
                                            limit.toSeconds(),
                                            e.getMessage()));
                }
                pause();
            }
        }
    }

    private static void pause() {
        try {
            Thread.sleep(AGAIN);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new PenjingException("interrupted while the ranks were coming together", e);
        }
    }

    /// libtorch would print a native stack trace where nobody listens yet.
    private static void knock(RankPlace place, long deadline) throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(
                    new InetSocketAddress(place.address(), place.port()), millisTo(deadline));
        }
    }

    private static Peer enter(RankPlace place, int port, long deadline) throws IOException {
        Socket socket = new Socket();
        try {
            socket.connect(new InetSocketAddress(place.address(), port), millisTo(deadline));
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(millisTo(deadline));
            BufferedReader in = RankWatch.reader(socket);
            Writer out = RankWatch.writer(socket);
            out.write("rank %d of %d %s\n".formatted(place.rank(), place.worldSize(), self()));
            out.flush();
            String answer = String.valueOf(in.readLine());
            if (!answer.startsWith("go ")) {
                throw new IOException("rank 0 ended, or has another WORLD_SIZE");
            }
            return new Peer(0, answer.substring("go ".length()), socket, in);
        } catch (IOException | RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    /// The peers are closed by who watches them.
    void close() {
        store.releaseReference();
    }
}
