package dev.penjing.compression.training;

/// Where the time of training steps goes, in nanoseconds, phase by phase. Meaningful on a CPU,
/// where each phase is done when its call returns.
public final class StepTimes {
    private long last = System.nanoTime();
    private long teacher;
    private long forward;
    private long loss;
    private long backward;
    private long optimizer;

    void start() {
        last = System.nanoTime();
    }

    void teacher() {
        teacher += lap();
    }

    void forward() {
        forward += lap();
    }

    void loss() {
        loss += lap();
    }

    void backward() {
        backward += lap();
    }

    void optimizer() {
        optimizer += lap();
    }

    private long lap() {
        long now = System.nanoTime();
        long time = now - last;
        last = now;
        return time;
    }

    public String describe() {
        double all = Math.max(1, teacher + forward + loss + backward + optimizer) / 100.0;
        return "teacher %.0f %%, student forward %.0f %%, loss %.0f %%, backward %.0f %%, optimizer %.0f %%"
                .formatted(
                        teacher / all, forward / all, loss / all, backward / all, optimizer / all);
    }
}
