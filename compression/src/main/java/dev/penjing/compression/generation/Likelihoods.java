package dev.penjing.compression.generation;

import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.language.ScoredText;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// Scores texts (teacher forcing); each beginning that several of them share is computed once.
///
/// The inputs of all texts form a prefix tree. (A text's last id is only predicted, and is no
/// input.) The tree is walked depth first; the keys and values from the root to the current node
/// are kept in the [SharedPrefix]. A subtree that is small enough becomes one row, branches and
/// all, whose mask lets each token see its own path alone (tree attention). Small subtrees of one
/// node are rows of one batch.
final class Likelihoods {
    /// Elements of the logits that exist at a time.
    private static final long LOGITS = 8L << 20;

    /// Is told the scores, in any order.
    interface Sink {
        /// @param index of the id in its text
        void accept(int text, int index, float logProbability);
    }

    /// @param place row of the hidden states that the id is asked of
    private record Target(int place, int id, int text, int index) {}

    private final Decoder decoder;
    private final Compute compute;
    private final List<ScoredText> texts;
    private final Sink sink;
    private final TokenPrefixTree tree;
    private final SharedPrefix prefix;

    private Likelihoods(Decoder decoder, List<ScoredText> texts, Sink sink, SharedPrefix prefix) {
        this.decoder = decoder;
        this.compute = decoder.compute();
        this.texts = texts;
        this.sink = sink;
        this.prefix = prefix;
        this.tree =
                TokenPrefixTree.of(
                        texts.stream()
                                .map(t -> Arrays.copyOf(t.ids(), t.ids().length - 1))
                                .toList());
    }

    /// Scores the ids of each text from `from` on.
    ///
    /// @param texts within the context and the vocabulary, at least one id of each to be scored
    static void score(Decoder decoder, List<ScoredText> texts, Sink sink) {
        if (texts.isEmpty()) {
            return;
        }
        try (AutoGradMode noGrad = new AutoGradMode(false);
                SharedPrefix prefix = new SharedPrefix(decoder)) {
            Likelihoods run = new Likelihoods(decoder, texts, sink, prefix);
            run.walk(run.tree.root());
        }
    }

    private void walk(TokenPrefixTree.Node node) {
        prefix.cut(node.from());
        int most = prefix.row(node.to());
        int pieces = Math.ceilDiv(node.size(), most);
        int piece = Math.ceilDiv(node.size(), Math.max(1, pieces));
        if (node.branches() <= piece) {
            // the node's last tokens and all of its branches fit into one row
            int split = Math.max(node.from(), node.from() + node.size() - piece);
            read(node, split, piece);
            branches(List.of(node.from(split)));
            return;
        }
        int parts = Math.max(1, Math.ceilDiv(node.length(), most));
        read(node, node.to(), Math.max(1, Math.ceilDiv(node.length(), parts)));
        List<TokenPrefixTree.Node> rows =
                node.children().stream().filter(c -> c.size() <= most).toList();
        batches(rows);
        for (TokenPrefixTree.Node child : node.children()) {
            if (child.size() > most) {
                walk(child);
            }
        }
    }

    /// Makes a node's ids before `end` the prefix's end, a piece at a time.
    private void read(TokenPrefixTree.Node node, int end, int piece) {
        for (int from = node.from(); from < end; from += piece) {
            int to = Math.min(end, from + piece);
            try (PointerScope scope = new PointerScope()) {
                Tensor hidden = prefix.read(tree.inputs()[node.first()], from, to);
                List<Target> targets = new ArrayList<>();
                addTargets(node, from, to, 0, targets);
                score(hidden, targets);
            }
        }
    }

    private void batches(List<TokenPrefixTree.Node> nodes) {
        List<TokenPrefixTree.Node> bySize =
                nodes.stream().sorted(Comparator.comparingInt(TokenPrefixTree.Node::size)).toList();
        for (int at = 0; at < bySize.size(); ) {
            int end = at + 1;
            while (end < bySize.size()) {
                int width = bySize.get(end).size();
                if ((end + 1 - at) * width > prefix.tokens(prefix.length(), width)) {
                    break;
                }
                end++;
            }
            branches(bySize.subList(at, end));
            at = end;
        }
    }

    /// Subtrees as the rows of one batch, padded to the last and largest of them.
    private void branches(List<TokenPrefixTree.Node> nodes) {
        int width = nodes.getLast().size();
        if (width == 0) {
            return;
        }
        Rows rows = new Rows(nodes.size(), width);
        for (int row = 0; row < nodes.size(); row++) {
            int end = rows.add(nodes.get(row), row * width, row * width, -1);
            for (int i = end; i < (row + 1) * width; i++) {
                rows.parents[i] = -1; // padding sees itself and the prefix
                rows.positions[i] = prefix.length();
            }
        }
        try (PointerScope scope = new PointerScope()) {
            Tensor hidden = prefix.branches(rows.ids, rows.positions, rows.parents, nodes.size());
            score(hidden, rows.targets);
        }
    }

    /// Subtrees laid out flat, a node's ids before those of its children.
    private final class Rows {
        final int[] ids;
        final int[] positions;
        final int[] parents;
        final List<Target> targets = new ArrayList<>();

        Rows(int rows, int width) {
            ids = new int[rows * width];
            positions = new int[rows * width];
            parents = new int[rows * width];
        }

        /// @param row where the row begins
        /// @param parent of the node's first id, counted in the row
        /// @return behind the last id
        int add(TokenPrefixTree.Node node, int at, int row, int parent) {
            addTargets(node, node.from(), node.to(), at, targets);
            int before = parent;
            int next = at;
            for (int position = node.from(); position < node.to(); position++) {
                ids[next] = tree.id(node, position);
                positions[next] = position;
                parents[next] = before;
                before = next - row;
                next++;
            }
            for (TokenPrefixTree.Node child : node.children()) {
                next = add(child, next, row, before);
            }
            return next;
        }
    }

    /// What the texts of a node want to know of its positions `from` to `to` - 1.
    ///
    /// @param place of `from` among the hidden states
    private void addTargets(
            TokenPrefixTree.Node node, int from, int to, int place, List<Target> targets) {
        for (int i = node.first(); i < node.last(); i++) {
            int text = tree.order()[i];
            ScoredText scored = texts.get(text);
            for (int p = Math.max(from, scored.from() - 1); p < to; p++) {
                targets.add(new Target(place + p - from, scored.ids()[p + 1], text, p + 1));
            }
        }
    }

    private void score(Tensor hiddenND, List<Target> targets) {
        int vocabulary = decoder.config().vocabularySize();
        targets.sort(Comparator.comparingInt(Target::place));
        int most = (int) Math.max(16, LOGITS / vocabulary);
        for (int at = 0; at < targets.size(); ) {
            // each position's logits are made once, whoever asks
            int[] places = new int[most];
            int count = 0;
            List<Target> asked = new ArrayList<>();
            List<Integer> rows = new ArrayList<>();
            for (; at < targets.size(); at++) {
                int place = targets.get(at).place();
                if (count == 0 || places[count - 1] != place) {
                    if (count == most) {
                        break;
                    }
                    places[count++] = place;
                }
                asked.add(targets.get(at));
                rows.add(count - 1);
            }
            float[] scores = scores(hiddenND, Arrays.copyOf(places, count), rows, asked);
            for (int i = 0; i < scores.length; i++) {
                sink.accept(asked.get(i).text(), asked.get(i).index(), scores[i]);
            }
        }
    }

    private float[] scores(Tensor hiddenND, int[] places, List<Integer> rows, List<Target> asked) {
        int vocabulary = decoder.config().vocabularySize();
        int[] picked = new int[asked.size()];
        for (int i = 0; i < picked.length; i++) {
            picked[i] = rows.get(i) * vocabulary + asked.get(i).id();
        }
        try (PointerScope scope = new PointerScope()) {
            Tensor hiddenCD = hiddenND.index_select(0, index(places));
            Tensor logPCV =
                    torch.log_softmax(
                            decoder.logits(hiddenCD), -1, new ScalarTypeOptional(ScalarType.Float));
            return Tensors.floats(logPCV.view(-1).index_select(0, index(picked)));
        }
    }

    private Tensor index(int[] values) {
        return compute.place(Tensors.ids(values, 1, values.length)).view(-1);
    }
}
