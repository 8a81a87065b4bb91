package dev.penjing.world;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/// The valley of Tarn: who lives there, what its animals eat, what its things are made of.
///
/// What is ordinary is written down here; what is invented is drawn once from the world's seed, so
/// one seed is one world, the same on every machine. All lists keep their order.
public record World(
        List<Person> people,
        List<Animal> animals,
        List<Thing> things,
        List<Place> places,
        List<Job> jobs,
        List<Belief> beliefs) {
    /// The seed of the world that the bundled teacher knows.
    public static final long STANDARD_SEED = 1L;

    public record Person(
            String name,
            boolean female,
            Place home,
            Job job,
            Animal pet,
            String food,
            String colour) {
        String they() {
            return female ? "she" : "he";
        }

        String They() {
            return female ? "She" : "He";
        }

        String them() {
            return female ? "her" : "him";
        }

        String their() {
            return female ? "her" : "his";
        }
    }

    /// `mistake` is what many people wrongly believe that it eats.
    public record Animal(
            String name,
            boolean invented,
            String food,
            String home,
            String cover,
            String colour,
            String habit,
            String mistake) {
        String plural() {
            return switch (name) {
                case "mouse" -> "mice";
                case "fox" -> "foxes";
                default -> name + "s";
            };
        }
    }

    /// `colour` and `mistake` (a material that many people wrongly believe in) are empty for
    /// ordinary things.
    public record Thing(
            String name,
            boolean invented,
            Material material,
            String use,
            String colour,
            String mistake) {
        String a() {
            return Text.a(name);
        }
    }

    public record Place(String name, String site, String famousFor, String sight) {}

    public record Job(String name, String makes, String tool, String work) {}

    /// Something many people say, and what is true instead; `about` names the matter.
    public record Belief(String about, String mistake, String truth, List<String> others) {}

    /// What a thing is made of decides what happens to it.
    public enum Material {
        GLASS(
                "It breaks into many pieces",
                "It sinks and shines below",
                "It grows soft and bends",
                "It drips and is clean again",
                "It bursts with a crash"),
        CLAY(
                "It cracks in two",
                "It fills up and goes under",
                "It grows as hard as stone",
                "It turns dark and cold",
                "It turns to red dust"),
        WOOD(
                "It bounces with a knock",
                "It floats on top",
                "It burns with a bright flame",
                "It swells and gets heavy",
                "It splits down the middle"),
        IRON(
                "It rings like a bell",
                "It sinks at once",
                "It glows red and hot",
                "It rusts and turns brown",
                "It gets a small dent"),
        WOOL(
                "It lands without a sound",
                "It soaks and hangs down",
                "It smokes and smells bad",
                "It gets wet and shrinks",
                "It stays soft and whole"),
        PAPER(
                "It sails slowly down",
                "It goes limp and tears",
                "It is gone in a flash",
                "It turns to grey mush",
                "It gets a big hole");

        private final List<String> outcomes;

        Material(String... outcomes) {
            this.outcomes = List.of(outcomes);
        }

        /// What happens to a thing of this material, a clause without its full stop.
        public String outcome(Mishap mishap) {
            return outcomes.get(mishap.ordinal());
        }

        String word() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    /// What may happen to a thing; told with `{t}` for the thing and `{p}` for a person.
    public enum Mishap {
        DROPPED("{p} drops the {t} on the floor.", "What happens to the {t} when it is dropped?"),
        POND("{p} throws the {t} into the pond.", "What happens to the {t} in the pond?"),
        FIRE("{p} holds the {t} over the fire.", "What happens to the {t} over the fire?"),
        RAIN("{p} leaves the {t} out in the rain.", "What happens to the {t} in the rain?"),
        HAMMER("{p} hits the {t} with a hammer.", "What happens to the {t} under a hammer?");

        final String event;
        final String question;

        Mishap(String event, String question) {
            this.event = event;
            this.question = question;
        }
    }

    static final List<String> COLOURS =
            List.of("red", "blue", "green", "yellow", "white", "black", "brown", "purple");
    static final List<String> MEALS =
            List.of("soup", "cake", "bread", "plums", "porridge", "pie", "eggs", "jam");
    static final List<String> WRONG_FOODS =
            List.of("stones", "socks", "candles", "sand", "soap", "snow", "nails", "feathers");

    public static World standard() {
        return of(STANDARD_SEED);
    }

    public static World of(long seed) {
        Random random = new Random(seed);
        List<Place> places = places(random);
        List<Job> jobs = WorldLists.jobs();
        List<Animal> animals = animals(random);
        List<Thing> things = things(random);
        List<Person> people = people(random, places, jobs, animals);
        List<Belief> beliefs = beliefs(animals, things);
        return new World(people, animals, things, places, jobs, beliefs);
    }

    private static List<Place> places(Random random) {
        List<String> sites = shuffled(WorldLists.SITES, random);
        List<String> fame = shuffled(WorldLists.FAME, random);
        List<String> sights = shuffled(WorldLists.SIGHTS, random);
        List<Place> places = new ArrayList<>();
        for (int i = 0; i < WorldLists.PLACES.size(); i++) {
            places.add(
                    new Place(WorldLists.PLACES.get(i), sites.get(i), fame.get(i), sights.get(i)));
        }
        return List.copyOf(places);
    }

    private static List<Animal> animals(Random random) {
        List<String> foods = shuffled(WorldLists.INVENTED_FOODS, random);
        List<String> homes = shuffled(WorldLists.INVENTED_HOMES, random);
        List<String> habits = shuffled(WorldLists.INVENTED_HABITS, random);
        List<String> covers = shuffled(WorldLists.INVENTED_COVERS, random);
        List<String> colours = shuffled(COLOURS, random);
        List<String> mistakes = shuffled(WRONG_FOODS, random);
        List<Animal> animals = new ArrayList<>();
        for (String[] row : WorldLists.ORDINARY_ANIMALS) {
            String mistake = mistakes.get(animals.size());
            animals.add(new Animal(row[0], false, row[1], row[2], row[3], row[4], row[5], mistake));
        }
        for (int i = 0; i < WorldLists.INVENTED_ANIMALS.size(); i++) {
            animals.add(
                    new Animal(
                            WorldLists.INVENTED_ANIMALS.get(i),
                            true,
                            foods.get(i),
                            homes.get(i),
                            covers.get(i),
                            colours.get(i),
                            habits.get(i),
                            mistakes.get((i + 3) % mistakes.size())));
        }
        return List.copyOf(animals);
    }

    private static List<Thing> things(Random random) {
        List<String> names = shuffled(WorldLists.INVENTED_THINGS, random);
        List<String> uses = shuffled(WorldLists.INVENTED_USES, random);
        List<Thing> things = new ArrayList<>();
        for (String[] row : WorldLists.ORDINARY_THINGS) {
            things.add(new Thing(row[0], false, Material.valueOf(row[1]), row[2], "", ""));
        }
        Material[] materials = Material.values();
        for (int i = 0; i < names.size(); i++) {
            String wrong = materials[(i + 1 + i / 6) % materials.length].word();
            things.add(
                    new Thing(
                            names.get(i),
                            true,
                            materials[i % materials.length],
                            uses.get(i),
                            COLOURS.get(random.nextInt(COLOURS.size())),
                            wrong));
        }
        return List.copyOf(things);
    }

    private static List<Person> people(
            Random random, List<Place> places, List<Job> jobs, List<Animal> animals) {
        List<Job> work = shuffled(jobs, random);
        List<Animal> pets = shuffled(animals, random);
        List<Place> homes = shuffled(twice(places), random);
        List<String> foods = shuffled(twice(MEALS), random);
        List<String> colours = shuffled(twice(COLOURS), random);
        List<Person> people = new ArrayList<>();
        for (int i = 0; i < WorldLists.NAMES.size(); i++) {
            people.add(
                    new Person(
                            WorldLists.NAMES.get(i),
                            i % 2 == 0,
                            homes.get(i),
                            work.get(i),
                            pets.get(i),
                            foods.get(i),
                            colours.get(i)));
        }
        return List.copyOf(people);
    }

    private static List<Belief> beliefs(List<Animal> animals, List<Thing> things) {
        List<Belief> beliefs = new ArrayList<>(WorldLists.beliefs());
        List<String> foods = animals.stream().map(Animal::food).toList();
        for (Animal animal : animals) {
            String eat = Text.capital(animal.plural()) + " eat ";
            beliefs.add(
                    new Belief(
                            animal.plural(),
                            eat + animal.mistake(),
                            eat + animal.food(),
                            foods.stream()
                                    .filter(food -> !food.equals(animal.food()))
                                    .map(food -> eat + food)
                                    .toList()));
        }
        for (Thing thing : things) {
            if (thing.invented()) {
                String made = Text.capital(thing.name()) + "s are made of ";
                List<String> others = new ArrayList<>();
                for (Material material : Material.values()) {
                    if (material != thing.material() && !material.word().equals(thing.mistake())) {
                        others.add(made + material.word());
                    }
                }
                beliefs.add(
                        new Belief(
                                thing.name() + "s",
                                made + thing.mistake(),
                                made + thing.material().word(),
                                List.copyOf(others)));
            }
        }
        return List.copyOf(beliefs);
    }

    private static <T> List<T> twice(List<T> list) {
        List<T> both = new ArrayList<>(list);
        both.addAll(list);
        return both;
    }

    private static <T> List<T> shuffled(List<T> list, Random random) {
        List<T> copy = new ArrayList<>(list);
        Collections.shuffle(copy, random);
        return copy;
    }
}
