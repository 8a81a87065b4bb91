package dev.penjing.compression.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.penjing.compression.TinyModels;
import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.decoder.ParameterLayout.Slot;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.architecture.ModelConfig;
import java.util.List;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;

/// A loss on hidden states of student and teacher, which differ in width: a fixed projection takes
/// the teacher's states to the student's channels.
class HiddenLossTest {
    private static final ModelConfig TEACHER = TinyModels.llama("");
    private static final ModelConfig STUDENT = TinyModels.student(TEACHER);
    private static final Compute COMPUTE = Compute.float32();

    private static final class SecondLayer implements Objective, HiddenLoss {
        @Override
        public String key() {
            return "kl+second-layer";
        }

        @Override
        public boolean needsTeacher() {
            return true;
        }

        @Override
        public double loss(TokenLogits logits) {
            return logits.divergence(1);
        }

        @Override
        public Tensor gradient(TokenLogits logits) {
            return new ForwardKl().gradient(logits);
        }

        @Override
        public Optional<HiddenLoss> hidden() {
            return Optional.of(this);
        }

        @Override
        public Tensor sum(HiddenStates student, HiddenStates teacher) {
            Tensor projected = teacher.after(1).narrow(1, 0, 32);
            return student.after(1).sub(projected).square().sum().mul(new Scalar(0.05));
        }
    }

    private static HeadLoss.Teacher taught(Decoder teacher, Tensor inputs) {
        try (AutoGradMode noGrad = new AutoGradMode(false)) {
            HiddenStates states = new HiddenStates();
            Tensor hidden = teacher.hidden(teacher.embed(inputs), states);
            return new HeadLoss.Teacher(hidden, teacher.head(), states);
        }
    }

    /// The gradient of the whole is that which autograd records on the plain formulas.
    @Test
    void itsGradientIsAddedToThatOfTheLogits() {
        try (FlatParameters taught = TinyModels.parameters(TEACHER, COMPUTE);
                Decoder teacher = new Decoder(TEACHER, taught, COMPUTE);
                Student student =
                        new Student(
                                STUDENT,
                                RandomWeights.draw(STUDENT, 4, COMPUTE),
                                Optional.empty(),
                                COMPUTE);
                Student plain =
                        new Student(
                                STUDENT,
                                RandomWeights.draw(STUDENT, 4, COMPUTE),
                                Optional.empty(),
                                COMPUTE);
                HeadLoss loss = new HeadLoss(new SecondLayer(), 1);
                PointerScope scope = new PointerScope()) {
            Tensor inputs = Tensors.ids(TinyModels.ids(24), 2, 12);
            Tensor targets = Tensors.ids(TinyModels.ids(24), 1, 24).view(-1);
            HeadLoss.Teacher states = taught(teacher, inputs);
            double scale = 0.125;
            HeadLoss.Sums sums =
                    student.accumulate(
                            inputs,
                            targets,
                            Optional.of(states),
                            loss,
                            new SecondLayer().hidden(),
                            scale,
                            new StepTimes());

            HiddenStates recorded = new HiddenStates();
            Tensor hidden = plain.decoder().hidden(plain.decoder().embed(inputs), recorded);
            Tensor logQ = torch.matmul(hidden, plain.decoder().head().t()).log_softmax(-1);
            Tensor logP = torch.matmul(states.hiddenND(), states.headVD().t()).log_softmax(-1);
            Tensor divergence = logP.exp().mul(logP.sub(logQ)).sum();
            Tensor second = new SecondLayer().sum(recorded, states.layers());
            divergence.add(second).mul(new Scalar(scale)).backward();

            assertThat(second.item_double()).isGreaterThan(1);
            assertThat(sums.loss())
                    .isCloseTo(divergence.item_double() + second.item_double(), within(1e-3));
            // of all but embedding and head, whose gradients autograd does not record here
            float[] gradient = Tensors.floats(student.gradient());
            float[] expected = Tensors.floats(plain.gradient());
            boolean moved = false;
            for (Slot slot : student.master().layout().slots()) {
                if (slot.shape()[0] == STUDENT.vocabularySize()) {
                    continue;
                }
                for (int i = 0; i < slot.size(); i++) {
                    int at = Math.toIntExact(slot.offset()) + i;
                    assertThat(gradient[at]).isCloseTo(expected[at], within(2e-5f));
                    moved |= Math.abs(gradient[at]) > 1e-3;
                }
            }
            assertThat(moved).isTrue();
        }
    }

    /// Behind a mixture too, with its weight.
    @Test
    void aMixtureWeighsIt() {
        Objective mixture =
                new Mixture(
                        List.of(
                                new Mixture.Term(0.5, new SecondLayer()),
                                new Mixture.Term(0.5, new CrossEntropy())));
        try (FlatParameters taught = TinyModels.parameters(TEACHER, COMPUTE);
                Decoder teacher = new Decoder(TEACHER, taught, COMPUTE);
                FlatParameters weights = RandomWeights.draw(STUDENT, 4, COMPUTE);
                Decoder student = new Decoder(STUDENT, weights, COMPUTE);
                PointerScope scope = new PointerScope()) {
            Tensor inputs = Tensors.ids(TinyModels.ids(24), 2, 12);
            HiddenStates own = new HiddenStates();
            student.hidden(student.embed(inputs), own);
            HiddenStates teachers = taught(teacher, inputs).layers();
            double alone = new SecondLayer().sum(own, teachers).item_double();
            assertThat(mixture.hidden().orElseThrow().sum(own, teachers).item_double())
                    .isCloseTo(alone / 2, within(1e-4));
        }
    }
}
