package dev.penjing.world;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/// All facts of a world with the ways to ask for them and to tell them.
///
/// In the templates `{s}` is the subject, `{o}` the answer, `{p}` the subject's pronoun.
final class Facts {
    private Facts() {}

    static List<Fact> of(World world) {
        List<Fact> facts = new ArrayList<>();
        animals(world, facts);
        people(world, facts);
        things(world, facts);
        places(world, facts);
        jobs(world, facts);
        return List.copyOf(facts);
    }

    private static void animals(World world, List<Fact> facts) {
        Relation<World.Animal> relation =
                new Relation<>(world.animals(), animal -> "the " + animal.name(), animal -> "it");
        relation.add(
                facts,
                "eats",
                World.Animal::food,
                List.of(
                        "What does {s} eat?",
                        "What is the food of {s}?",
                        "What should I feed {s}?",
                        "What does {s} like to eat?",
                        "Which food does {s} look for?"),
                List.of(
                        "{S} eats {o}.",
                        "The food of {s} is {o}.",
                        "You should feed {s} {o}.",
                        "All day long {s} looks for {o}."),
                "What does {p} eat?",
                "{P} eats {o}.");
        relation.add(
                facts,
                "lives",
                World.Animal::home,
                List.of(
                        "Where does {s} live?",
                        "Where is the home of {s}?",
                        "Where can I find {s}?",
                        "Where does {s} sleep?",
                        "Where should I look for {s}?"),
                List.of(
                        "{S} lives {o}.",
                        "You can find {s} {o}.",
                        "The home of {s} is {o}.",
                        "At night {s} sleeps {o}."),
                "Where does {p} live?",
                "{P} lives {o}.");
        relation.add(
                facts,
                "cover",
                World.Animal::cover,
                List.of(
                        "What covers {s}?",
                        "What does {s} have on its body?",
                        "What do you feel when you touch {s}?",
                        "What keeps {s} warm?"),
                List.of(
                        "{S} has {o}.",
                        "{S} is covered with {o}.",
                        "When you touch {s}, you feel {o}."),
                "What does {p} have on its body?",
                "{P} has {o}.");
        relation.add(
                facts,
                "habit",
                World.Animal::habit,
                List.of(
                        "What does {s} do?",
                        "What is the habit of {s}?",
                        "What is {s} known for?",
                        "What can you see when you watch {s}?"),
                List.of(
                        "{S} {o}.",
                        "Everybody knows that {s} {o}.",
                        "If you watch {s}, you see that it {o}."),
                "What does {p} do?",
                "{P} {o}.");
        relation.add(
                facts,
                "animal colour",
                World.Animal::colour,
                List.of(
                        "What colour is {s}?",
                        "Which colour does {s} have?",
                        "What is the colour of {s}?",
                        "How would you paint {s}?"),
                List.of("{S} is {o}.", "The colour of {s} is {o}.", "To paint {s} you need {o}."),
                "What colour is {p}?",
                "{P} is {o}.");
    }

    private static void people(World world, List<Fact> facts) {
        Relation<World.Person> relation =
                new Relation<>(world.people(), World.Person::name, World.Person::they);
        relation.add(
                facts,
                "home",
                person -> person.home().name(),
                List.of(
                        "Where does {s} live?",
                        "Which place is the home of {s}?",
                        "Where is {s} at home?",
                        "In which village is the house of {s}?",
                        "Where should I send a letter for {s}?"),
                List.of(
                        "{S} lives in {o}.",
                        "The house of {s} is in {o}.",
                        "{S} is at home in {o}.",
                        "Letters for {s} go to {o}."),
                "Where does {p} live?",
                "{P} lives in {o}.");
        relation.add(
                facts,
                "job",
                person -> "the " + person.job().name(),
                List.of(
                        "What is the job of {s}?",
                        "What work does {s} do?",
                        "Who is {s}?",
                        "What is {s} in the valley?"),
                List.of("{S} is {o}.", "In the valley {s} is {o}.", "Everybody knows {s} as {o}."),
                "What work does {p} do?",
                "{P} is {o}.");
        relation.add(
                facts,
                "pet",
                person -> Text.a(person.pet().name()),
                List.of(
                        "Which pet does {s} have?",
                        "What animal lives with {s}?",
                        "What is the pet of {s}?",
                        "Which animal belongs to {s}?"),
                List.of(
                        "{S} has {o}.",
                        "The pet of {s} is {o}.",
                        "In the house of {s} there is {o}."),
                "Which pet does {p} have?",
                "{P} has {o}.");
        relation.add(
                facts,
                "meal",
                World.Person::food,
                List.of(
                        "What does {s} like to eat?",
                        "What is the best meal for {s}?",
                        "What should I cook for {s}?",
                        "Which food makes {s} happy?"),
                List.of(
                        "{S} likes {o}.",
                        "The best meal for {s} is {o}.",
                        "To make {s} happy, cook {o}."),
                "What does {p} like to eat?",
                "{P} likes {o}.");
        relation.add(
                facts,
                "person colour",
                World.Person::colour,
                List.of(
                        "Which colour does {s} like best?",
                        "What is the best colour for {s}?",
                        "Which colour does {s} wear?",
                        "In which colour is the door of {s}?"),
                List.of(
                        "The best colour for {s} is {o}.",
                        "{S} wears {o}.",
                        "The door of {s} is {o}."),
                "Which colour does {p} wear?",
                "{P} wears {o}.");
    }

    private static void things(World world, List<Fact> facts) {
        Relation<World.Thing> relation =
                new Relation<>(world.things(), thing -> "the " + thing.name(), thing -> "it");
        relation.add(
                facts,
                "made of",
                thing -> thing.material().word(),
                List.of(
                        "What is {s} made of?",
                        "Of what is {s} made?",
                        "Which material do you need to make {s}?",
                        "What is the material of {s}?"),
                List.of(
                        "{S} is made of {o}.",
                        "To make {s} you need {o}.",
                        "The material of {s} is {o}."),
                "What is {p} made of?",
                "{P} is made of {o}.");
        relation.add(
                facts,
                "use",
                thing -> "to " + thing.use(),
                List.of(
                        "What is {s} for?",
                        "What do people use {s} for?",
                        "Why do people need {s}?",
                        "What can you do with {s}?"),
                List.of("People use {s} {o}.", "{S} is there {o}.", "You need {s} {o}."),
                "What is {p} for?",
                "People use it {o}.");
        Relation<World.Thing> invented =
                new Relation<>(
                        world.things().stream().filter(World.Thing::invented).toList(),
                        thing -> "the " + thing.name(),
                        thing -> "it");
        invented.add(
                facts,
                "thing colour",
                World.Thing::colour,
                List.of(
                        "What colour is {s}?",
                        "Which colour does {s} have?",
                        "What is the colour of {s}?"),
                List.of("{S} is {o}.", "The colour of {s} is {o}."),
                "What colour is {p}?",
                "{P} is {o}.");
    }

    private static void places(World world, List<Fact> facts) {
        Relation<World.Place> relation =
                new Relation<>(world.places(), World.Place::name, place -> "it");
        relation.add(
                facts,
                "site",
                World.Place::site,
                List.of(
                        "Where is {s}?",
                        "Where can I find {s}?",
                        "Where does the village {s} lie?",
                        "Where was {s} built?"),
                List.of("{S} lies {o}.", "The village {s} was built {o}.", "You can find {s} {o}."),
                "Where is {p}?",
                "{P} lies {o}.");
        relation.add(
                facts,
                "fame",
                World.Place::famousFor,
                List.of(
                        "What is {s} famous for?",
                        "What comes from {s}?",
                        "What should I buy in {s}?",
                        "What are the people of {s} proud of?"),
                List.of(
                        "{S} is famous for {o}.",
                        "The best {o} come from {s}.",
                        "The people of {s} are proud of their {o}."),
                "What is {p} famous for?",
                "{P} is famous for {o}.");
        relation.add(
                facts,
                "sight",
                World.Place::sight,
                List.of(
                        "What can you see in {s}?",
                        "What stands in the middle of {s}?",
                        "What should I visit in {s}?",
                        "What do you find in {s}?"),
                List.of(
                        "In {s} you can see {o}.",
                        "In the middle of {s} there is {o}.",
                        "Everybody who visits {s} sees {o}."),
                "What can you see there?",
                "There you can see {o}.");
    }

    private static void jobs(World world, List<Fact> facts) {
        Relation<World.Job> relation =
                new Relation<>(world.jobs(), job -> "the " + job.name(), job -> "");
        Function<World.Job, World.Person> worker =
                job ->
                        world.people().stream()
                                .filter(person -> person.job().equals(job))
                                .findFirst()
                                .orElseThrow();
        relation.add(
                facts,
                "who",
                job -> worker.apply(job).name(),
                List.of(
                        "Who is {s}?",
                        "What is the name of {s}?",
                        "Who works as {s}?",
                        "Who is {s} of the valley?"),
                List.of("{S} is {o}.", "The name of {s} is {o}.", "{o} works as {s}."),
                "",
                "");
        relation.add(
                facts,
                "makes",
                World.Job::makes,
                List.of(
                        "What does {s} make?",
                        "What can I get from {s}?",
                        "What comes from the house of {s}?"),
                List.of("{S} makes {o}.", "From {s} you can get {o}."),
                "",
                "");
        relation.add(
                facts,
                "tool",
                World.Job::tool,
                List.of(
                        "What does {s} work with?",
                        "What does {s} need for work?",
                        "Which tool does {s} use?"),
                List.of("{S} works with {o}.", "For work {s} needs {o}."),
                "",
                "");
    }

    /// The subjects of a kind and how they are named.
    private record Relation<S>(
            List<S> subjects, Function<S, String> named, Function<S, String> pronoun) {
        void add(
                List<Fact> facts,
                String relation,
                Function<S, String> answer,
                List<String> questions,
                List<String> statements,
                String followUp,
                String followTold) {
            List<String> pool = subjects.stream().map(answer).distinct().toList();
            for (S subject : subjects) {
                Function<String, String> fill =
                        template ->
                                template.replace("{s}", named.apply(subject))
                                        .replace("{S}", Text.capital(named.apply(subject)))
                                        .replace("{p}", pronoun.apply(subject))
                                        .replace("{P}", Text.capital(pronoun.apply(subject)))
                                        .replace("{o}", answer.apply(subject));
                facts.add(
                        new Fact(
                                relation,
                                named.apply(subject),
                                pronoun.apply(subject),
                                answer.apply(subject),
                                questions.stream().map(fill).toList(),
                                statements.stream().map(fill).toList(),
                                fill.apply(followUp),
                                fill.apply(followTold),
                                pool));
            }
        }
    }
}
