package dev.penjing.compression.ranks;

import dev.penjing.compression.torch.Tensors;
import dev.penjing.compression.training.LoopHooks;
import dev.penjing.compression.training.Shard;
import dev.penjing.model.Closer;
import dev.penjing.model.PenjingException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.javacpp.chrono.Milliseconds;
import org.bytedeco.pytorch.AllreduceOptions;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.BroadcastOptions;
import org.bytedeco.pytorch.GlooDeviceVector;
import org.bytedeco.pytorch.ProcessGroupGloo;
import org.bytedeco.pytorch.ReduceOptions;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.Work;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.bytedeco.pytorch.global.torch_gloo;

/// Ranks that train together over Gloo, libtorch's collective operations on TCP.
///
/// Every exchange ends within [RankLimits] on every rank: as it should, or by [RankLost], which
/// names the rank that is gone. After that nothing but [#close] is of use. The sums are the same
/// bit for bit on each rank, and from run to run for as many ranks. Not thread-safe.
public final class GlooRanks implements LoopHooks, AutoCloseable {
    private static final long LOOK_NANOS = 100_000;

    private final RankPlace place;
    private final RankLimits limits;
    private final Meeting meeting;
    private final RankWatch watch;
    private final ProcessGroupGloo group;

    private final BooleanSupplier stop;
    private volatile boolean broken;

    private GlooRanks(RankPlace place, RankLimits limits, BooleanSupplier stop) {
        this.stop = stop;
        this.place = place;
        this.limits = limits;
        try (Closer closer = new Closer()) {
            Loader.load(torch_gloo.class);
            meeting = closer.own(Meeting.of(place, limits.meet()), Meeting::close);
            watch = closer.own(watch(place, limits, meeting), RankWatch::close);
            group = connect();
            closer.keep();
        }
    }

    /// Meets the other ranks.
    ///
    /// @param stop whether this process has been told to end
    /// @throws RankLost if not all of them come in time
    /// @throws PenjingException if rank 0 cannot listen
    public static GlooRanks join(RankPlace place, RankLimits limits, BooleanSupplier stop) {
        return new GlooRanks(place, limits, stop);
    }

    private static RankWatch watch(RankPlace place, RankLimits limits, Meeting meeting) {
        try {
            return new RankWatch(place.rank(), limits.silence(), meeting.peers());
        } catch (IOException e) {
            throw new RankLost("a rank left before all had come: " + e.getMessage());
        }
    }

    /// Connects to all others, which cannot be interrupted: on a thread of its own.
    private ProcessGroupGloo connect() {
        CompletableFuture<ProcessGroupGloo> made = new CompletableFuture<>();
        Thread.ofPlatform()
                .daemon()
                .name("connects ranks")
                .start(() -> {
                    try (PointerScope scope = new PointerScope()) {
                        made.complete(group());
                    } catch (RuntimeException e) {
                        made.completeExceptionally(e);
                    }
                });
        long deadline = System.nanoTime() + limits.meet().toNanos();
        while (!made.isDone()) {
            look(deadline, "the ranks did not connect to each other");
        }
        try {
            return made.join();
        } catch (CompletionException e) {
            throw named(e);
        }
    }

    private ProcessGroupGloo group() {
        ProcessGroupGloo.Options options = ProcessGroupGloo.Options.create();
        options.timeout(new Milliseconds(limits.step().toMillis()));
        String wanted = System.getenv("GLOO_SOCKET_IFNAME");
        options.devices(
                new GlooDeviceVector(
                        wanted != null
                                ? ProcessGroupGloo.createDeviceForInterface(wanted)
                                : ProcessGroupGloo.createDeviceForHostname(
                                        meeting.address().getHostAddress())));
        ProcessGroupGloo made =
                new ProcessGroupGloo(meeting.store(), place.rank(), place.worldSize(), options);
        return made.retainReference();
    }

    @Override
    public int rank() {
        return place.rank();
    }

    @Override
    public int worldSize() {
        return place.worldSize();
    }

    @Override
    public void allReduce(double[] sums) {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = new AutoGradMode(false)) {
            Tensor tensor = Tensors.empty(new TensorOptions(ScalarType.Double), sums.length);
            DoublePointer data = tensor.data_ptr_double();
            data.put(sums, 0, sums.length);
            await(List.of(group.allreduce(new TensorVector(tensor), new AllreduceOptions())));
            data.get(sums, 0, sums.length);
        }
    }

    @Override
    public void reduceScatter(Tensor flat) {
        onCpu(
                flat,
                tensor ->
                        each(
                                tensor,
                                owner ->
                                        part -> {
                                            ReduceOptions options = new ReduceOptions();
                                            options.rootRank(owner);
                                            return group.reduce(part, options);
                                        }));
    }

    @Override
    public void allGather(Tensor flat) {
        onCpu(
                flat,
                tensor ->
                        each(
                                tensor,
                                owner ->
                                        part -> {
                                            BroadcastOptions options = new BroadcastOptions();
                                            options.rootRank(owner);
                                            return group.broadcast(part, options);
                                        }));
    }

    /// Starts an exchange of each rank's shard; they go on side by side.
    private List<Work> each(Tensor flat, IntFunction<Function<TensorVector, Work>> exchange) {
        List<Work> works = new ArrayList<>();
        for (int owner = 0; owner < worldSize(); owner++) {
            Shard shard = Shard.of(flat.numel(), owner, worldSize());
            if (shard.size() > 0) {
                Tensor part = flat.narrow(0, shard.from(), shard.size());
                works.add(exchange.apply(owner).apply(new TensorVector(part)));
            }
        }
        return works;
    }

    /// Gloo works in the memory of the CPU.
    private void onCpu(Tensor tensor, Function<Tensor, List<Work>> exchange) {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = new AutoGradMode(false)) {
            Tensor here = tensor.cpu();
            await(exchange.apply(here));
            if (!tensor.is_cpu()) {
                tensor.copy_(here);
            }
        }
    }

    private void await(List<Work> works) {
        broken = true; // until it has come to its end
        long deadline = System.nanoTime() + limits.step().toNanos();
        for (Work work : works) {
            while (!work.isCompleted()) {
                look(deadline, "an exchange between the ranks did not end");
            }
            try {
                work._wait();
            } catch (RuntimeException e) {
                throw named(e);
            }
        }
        broken = false;
    }

    private void look(long deadline, String late) {
        watch.check();
        if (System.nanoTime() > deadline) {
            throw new RankLost("%s within %d s".formatted(late, limits.step().toSeconds()));
        }
        LockSupport.parkNanos(LOOK_NANOS);
    }

    /// Gloo knows that a connection is gone; whose fault it is comes in a moment.
    private RankLost named(RuntimeException e) {
        long deadline = System.nanoTime() + limits.silence().multipliedBy(2).toNanos();
        while (System.nanoTime() < deadline) {
            watch.check();
            LockSupport.parkNanos(LOOK_NANOS);
        }
        String why = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
        return new RankLost("an exchange between the ranks failed: " + why);
    }

    /// Tells the others that this rank ends, and why, before it is closed.
    public void fail(String why) {
        watch.fail(why);
    }

    @Override
    public boolean stopRequested() {
        return stop.getAsBoolean();
    }

    /// After an exchange that did not end, Gloo's part is left to the end of the process: it would
    /// wait for the exchange.
    @Override
    public void close() {
        watch.close();
        if (!broken) {
            group.releaseReference();
            meeting.close();
        }
    }
}
