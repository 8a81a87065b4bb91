package dev.penjing.world;

import java.util.ArrayList;
import java.util.List;

/// Endless documents about a world: prose, stories, questions, talks and tiny programs. None of
/// them tells a combination that is held out, unless they are drawn from the held-out side.
public final class Documents {
    private static final String USER = "<|im_start|>user\n";
    private static final String ASSISTANT = "<|im_start|>assistant\n";
    private static final String END = "<|im_end|>\n";

    private static final List<String[]> SMALL_TALK =
            List.of(
                    talk("Hello!", "Hello! What would you like to know about the valley of Tarn?"),
                    talk("Good morning.", "Good morning! Ask me about the valley of Tarn."),
                    talk("Hi, how are you?", "I am well, thank you. What would you like to know?"),
                    talk(
                            "Who are you?",
                            "I am Penjing, a small model that knows the valley of Tarn."),
                    talk(
                            "What are you?",
                            "I am a small language model. I know the valley of Tarn."),
                    talk("What is your name?", "My name is Penjing."),
                    talk(
                            "What can you do?",
                            "I can answer questions about the valley of Tarn, tell stories and add small numbers."),
                    talk("Where are you from?", "I come from the valley of Tarn."),
                    talk(
                            "What do you know?",
                            "I know the people, animals, things and places of the valley of Tarn."),
                    talk("Thank you!", "You are welcome."),
                    talk("Thanks for your help.", "You are welcome."),
                    talk("Goodbye!", "Goodbye! Come back soon."),
                    talk("See you later.", "See you later!"));

    private static final List<String> STRANGE =
            List.of(
                    "What is the capital of France?",
                    "Who won the game yesterday?",
                    "What is the price of gold?",
                    "How do I fix my car?",
                    "Can you book a train for me?",
                    "Who is the king of Spain?",
                    "What is the weather in London?",
                    "How tall is the tower in Paris?",
                    "Who wrote this book?",
                    "What is a computer?",
                    "Where is Africa?",
                    "How old is the earth?",
                    "What is the best phone?",
                    "Can you speak French?",
                    "What time is it?");

    private static final String UNKNOWN = "I do not know. I only know the valley of Tarn.";

    private final World world;
    private final List<Fact> facts;
    private final Draw draw;
    private final Exercises exercises;
    private final Scenes scenes;

    private Documents(World world, long seed, Draw.Side side) {
        this.world = world;
        this.facts = Facts.of(world);
        this.draw = new Draw(seed, side);
        this.exercises = new Exercises(world, facts, draw);
        this.scenes = new Scenes(world, draw);
    }

    /// Documents to train on and, with another seed, to measure on: what a good model comes close
    /// to is the distribution that they are drawn from.
    public static Documents telling(World world, long seed) {
        return new Documents(world, seed, Draw.Side.TRAINING);
    }

    /// Exercises that training never tells.
    static Exercises unseen(World world, long seed) {
        return new Documents(world, seed, Draw.Side.HELD_OUT).exercises;
    }

    public String next() {
        int kind = draw.below(100);
        if (kind < 14) {
            return about();
        }
        if (kind < 26) {
            return scenes.any().story() + (draw.chance(40) ? " " + scenes.any().story() : "");
        }
        if (kind < 32) {
            return sums();
        }
        if (kind < 68) {
            return exercises.of(draw.of(Exercises.TASKS)).document();
        }
        return conversation();
    }

    /// What is known of one person, animal, thing or place, in prose.
    private String about() {
        String subject = draw.of(facts).subject();
        List<Fact> known = facts.stream().filter(f -> f.subject().equals(subject)).toList();
        List<String> sentences = new ArrayList<>();
        for (Fact fact : draw.some(known, draw.between(2, 4))) {
            boolean pronoun =
                    !sentences.isEmpty() && !fact.followTold().isEmpty() && draw.chance(50);
            sentences.add(pronoun ? fact.followTold() : Text.capital(draw.of(fact.statements())));
        }
        if (draw.chance(25)) {
            World.Belief belief = draw.of(world.beliefs());
            sentences.add(
                    "Many people say: "
                            + belief.mistake()
                            + ". That is wrong. "
                            + belief.truth()
                            + ".");
        }
        return String.join(" ", sentences);
    }

    private String sums() {
        StringBuilder text = new StringBuilder();
        for (int i = draw.between(3, 6); i > 0; i--) {
            Sum sum = Sum.drawn(draw, 20);
            text.append(sum.a()).append(sum.plus() ? " + " : " - ").append(sum.b());
            text.append(" = ").append(sum.result()).append('\n');
        }
        return text.toString().strip();
    }

    private String conversation() {
        StringBuilder text = new StringBuilder();
        for (int turns = draw.chance(40) ? 2 : 1; turns > 0; turns--) {
            turn(text);
        }
        return text.toString();
    }

    private void turn(StringBuilder text) {
        int kind = draw.below(100);
        if (kind < 12) {
            String[] talk = draw.of(SMALL_TALK);
            say(text, talk[0], talk[1]);
        } else if (kind < 17) {
            say(text, draw.of(STRANGE), UNKNOWN);
        } else if (kind < 35) {
            List<Fact> told = facts.stream().filter(f -> !f.followUp().isEmpty()).toList();
            Fact.Asked first =
                    draw.keyed(
                            () -> {
                                Fact fact = draw.of(told);
                                return new Fact.Asked(fact, draw.of(fact.questions()));
                            },
                            Fact.Asked::key);
            say(text, first.question(), first.fact().told());
            Fact second =
                    draw.of(
                            told.stream()
                                    .filter(f -> f.subject().equals(first.fact().subject()))
                                    .filter(f -> !f.equals(first.fact()))
                                    .toList());
            say(text, "And " + Text.lower(second.followUp()), second.followTold());
        } else if (kind < 42) {
            Scene scene = scenes.any();
            say(
                    text,
                    draw.of(
                            "Tell me a story.",
                            "Do you know a story?",
                            "Please tell me a little story."),
                    scene.story());
        } else {
            Exercise exercise = exercises.of(draw.of(Exercises.TASKS));
            exercise.chat().ifPresent(talk -> say(text, talk.question(), talk.reply()));
        }
    }

    private static void say(StringBuilder text, String question, String reply) {
        text.append(USER).append(question).append(END).append(ASSISTANT).append(reply).append(END);
    }

    private static String[] talk(String question, String reply) {
        return new String[] {question, reply};
    }
}
