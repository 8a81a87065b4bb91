package dev.penjing.world;

import dev.penjing.world.Exercise.Talk;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The nine kinds of exercises, each of them drawn from one side of the split.
final class Exercises {
    /// The nine kinds, by the benchmark that each mirrors: WinoGrande, ARC, MMLU, HellaSwag, GSM8K,
    /// TruthfulQA, XLSum, MBPP, HumanEval.
    static final List<String> TASKS =
            List.of(
                    "pronoun",
                    "science",
                    "knowledge",
                    "ending",
                    "word_problem",
                    "truth",
                    "summary",
                    "program_output",
                    "program_completion");

    private final World world;
    private final List<Fact> facts;
    private final Draw draw;
    private final Scenes scenes;

    Exercises(World world, List<Fact> facts, Draw draw) {
        this.world = world;
        this.facts = facts;
        this.draw = draw;
        this.scenes = new Scenes(world, draw);
    }

    Exercise of(String task) {
        return switch (task) {
            case "pronoun" -> pronoun();
            case "science" -> science();
            case "knowledge" -> knowledge();
            case "ending" -> ending();
            case "word_problem" -> wordProblem();
            case "truth" -> truth();
            case "summary" -> summary();
            case "program_output" -> TinyPrograms.output(draw);
            case "program_completion" -> TinyPrograms.completion(draw);
            default -> throw new IllegalArgumentException("no task is called " + task);
        };
    }

    private static Exercise question(
            String task, String ask, String answer, List<String> wrong, String reply) {
        return new Exercise(
                task,
                "Question: " + ask + "\nAnswer:",
                answer,
                wrong,
                Optional.of(new Talk(ask, reply)));
    }

    /// Two who could be meant; what is said of one of them decides.
    private record Doubt(String told, String asked, boolean first) {}

    private static final List<Doubt> DOUBTS =
            List.of(
                    new Doubt(
                            "{a} thanked {b} because {she} had got help.",
                            "Who had got help?",
                            true),
                    new Doubt(
                            "{a} thanked {b} because {she} had given help.",
                            "Who had given help?",
                            false),
                    new Doubt(
                            "{a} asked {b} the way because {she} was lost.", "Who was lost?", true),
                    new Doubt(
                            "{a} asked {b} the way because {she} knew the valley.",
                            "Who knew the valley?",
                            false),
                    new Doubt(
                            "{a} lent {b} some money because {she} was rich.",
                            "Who was rich?",
                            true),
                    new Doubt(
                            "{a} lent {b} some money because {she} was poor.",
                            "Who was poor?",
                            false),
                    new Doubt(
                            "{a} carried {b} home because {she} was strong.",
                            "Who was strong?",
                            true),
                    new Doubt(
                            "{a} carried {b} home because {she} was tired.",
                            "Who was tired?",
                            false),
                    new Doubt(
                            "{a} visited {b} because {she} wanted to talk.",
                            "Who wanted to talk?",
                            true),
                    new Doubt("{a} visited {b} because {she} was ill.", "Who was ill?", false),
                    new Doubt(
                            "{a} woke {b} because {she} was afraid of the dark.",
                            "Who was afraid of the dark?",
                            true),
                    new Doubt(
                            "{a} woke {b} because {she} had slept too long.",
                            "Who had slept too long?",
                            false));

    private static final List<Doubt> THING_DOUBTS =
            List.of(
                    new Doubt(
                            "The {a} does not fit into the {b} because it is too big.",
                            "What is too big?",
                            true),
                    new Doubt(
                            "The {a} does not fit into the {b} because it is too small.",
                            "What is too small?",
                            false),
                    new Doubt(
                            "The {a} fell on the {b} because it was not tied up.",
                            "What was not tied up?",
                            true),
                    new Doubt(
                            "The {a} fell on the {b} because it stood below.",
                            "What stood below?",
                            false));

    private Exercise pronoun() {
        if (draw.chance(40)) {
            Doubt doubt = draw.of(THING_DOUBTS);
            List<World.Thing> two =
                    draw.keyed(
                            () -> draw.some(world.things(), 2),
                            t -> "it|" + t.get(0).name() + "|" + t.get(1).name());
            return doubt(
                    doubt,
                    "the " + two.get(0).name(),
                    "the " + two.get(1).name(),
                    doubt.told()
                            .replace("{a}", two.get(0).name())
                            .replace("{b}", two.get(1).name()));
        }
        Doubt doubt = draw.of(DOUBTS);
        boolean female = draw.chance(50);
        List<World.Person> people =
                world.people().stream().filter(p -> p.female() == female).toList();
        List<World.Person> two =
                draw.keyed(
                        () -> draw.some(people, 2),
                        p -> "she|" + p.get(0).name() + "|" + p.get(1).name());
        String a = two.get(0).name();
        String b = two.get(1).name();
        return doubt(
                doubt,
                a,
                b,
                doubt.told()
                        .replace("{a}", a)
                        .replace("{b}", b)
                        .replace("{she}", two.get(0).they()));
    }

    private static Exercise doubt(Doubt doubt, String a, String b, String told) {
        String right = doubt.first() ? a : b;
        String wrong = doubt.first() ? b : a;
        String predicate =
                doubt.asked().substring(doubt.asked().indexOf(' '), doubt.asked().length() - 1);
        return question(
                "pronoun",
                told + " " + doubt.asked(),
                right,
                List.of(wrong),
                Text.capital(right) + predicate + ".");
    }

    private record Accident(World.Thing thing, World.Mishap mishap) {
        String key() {
            return "mishap|" + thing.name() + "|" + mishap;
        }
    }

    private Accident accident() {
        return draw.keyed(
                () ->
                        new Accident(
                                draw.of(world.things()), draw.of(List.of(World.Mishap.values()))),
                Accident::key);
    }

    private List<String> otherOutcomes(Accident accident) {
        List<String> outcomes = new ArrayList<>();
        for (World.Material material : World.Material.values()) {
            if (material != accident.thing().material()) {
                outcomes.add(material.outcome(accident.mishap()) + ".");
            }
        }
        return draw.some(outcomes, 3);
    }

    private Exercise science() {
        Accident accident = accident();
        String ask =
                (draw.chance(50)
                                ? accident.mishap().question
                                : accident.mishap().event + " What happens?")
                        .replace("{t}", accident.thing().name())
                        .replace("{p}", draw.of(world.people()).name());
        String answer = accident.thing().material().outcome(accident.mishap()) + ".";
        return question("science", ask, answer, otherOutcomes(accident), answer);
    }

    private Exercise knowledge() {
        Fact.Asked asked =
                draw.keyed(
                        () -> {
                            Fact fact = draw.of(facts);
                            return new Fact.Asked(fact, draw.of(fact.questions()));
                        },
                        Fact.Asked::key);
        Fact fact = asked.fact();
        List<String> others =
                fact.pool().stream().filter(other -> !other.equals(fact.answer())).toList();
        return question(
                "knowledge", asked.question(), fact.answer(), draw.some(others, 3), fact.told());
    }

    private Exercise ending() {
        Scene scene = scenes.any();
        return new Exercise(
                "ending",
                scene.setup(),
                scene.ending(),
                scene.wrongEndings(),
                Optional.of(new Talk("How does this go on? " + scene.setup(), scene.ending())));
    }

    private Exercise summary() {
        Scene scene = scenes.gift();
        return new Exercise(
                "summary",
                "Story: " + scene.story() + "\nIn short:",
                scene.summary(),
                scene.wrongSummaries(),
                Optional.of(new Talk("Tell me in short: " + scene.story(), scene.summary())));
    }

    private Exercise wordProblem() {
        Sum sum = Sum.drawn(draw, 20);
        World.Person person = draw.of(world.people());
        World.Person other = draw.other(world.people(), List.of(person));
        String things =
                draw.of("plums", "nuts", "eggs", "buttons", "candles", "cakes", "stones", "shells");
        String has = person.name() + " has " + sum.a() + " " + things + ". ";
        String then =
                sum.plus()
                        ? draw.of(
                                "{o} gives {p} {n} more.",
                                "Then {p0} finds {n} more.",
                                "Then {p0} buys {n} more.")
                        : draw.of(
                                "Then {p0} gives {n} to {o}.",
                                "Then {p0} loses {n} of them.",
                                "{o} takes {n} of them away.");
        String ask =
                has
                        + then.replace("{o}", other.name())
                                .replace("{p0}", person.they())
                                .replace("{p}", person.them())
                                .replace("{n}", Integer.toString(sum.b()))
                        + " How many "
                        + things
                        + " does "
                        + person.name()
                        + " have now?";
        String answer = Integer.toString(sum.result());
        return question(
                "word_problem",
                ask,
                answer,
                List.of(),
                person.name() + " has " + answer + " " + things + ".");
    }

    private static final List<String> TRUTH_FRAMES =
            List.of(
                    "Many people say about {a}: {m}. What is true?",
                    "Some people believe about {a}: {m}. What is right?",
                    "I heard about {a}: {m}. Is that so?",
                    "The old song says about {a}: {m}. What do you say?",
                    "What is true about {a}? My uncle says: {m}.",
                    "Tell me the truth about {a}. They say: {m}.",
                    "In the market one hears about {a}: {m}. Is it true?",
                    "My teacher asks about {a}. I think: {m}. Am I right?",
                    "A stranger told me about {a}: {m}. Should I believe it?",
                    "What do you know about {a}? People say: {m}.",
                    "We talked about {a}. Somebody said: {m}. Who is right?",
                    "A book says about {a}: {m}. What is so?");

    private record Heard(World.Belief belief, String frame) {}

    private Exercise truth() {
        Heard heard =
                draw.keyed(
                        () -> new Heard(draw.of(world.beliefs()), draw.of(TRUTH_FRAMES)),
                        h -> "truth|" + h.belief().about() + "|" + h.frame());
        World.Belief belief = heard.belief();
        String ask = heard.frame().replace("{a}", belief.about()).replace("{m}", belief.mistake());
        List<String> wrong = new ArrayList<>(List.of(belief.mistake() + "."));
        draw.some(belief.others(), 2).forEach(other -> wrong.add(other + "."));
        return question("truth", ask, belief.truth() + ".", wrong, "No. " + belief.truth() + ".");
    }
}
