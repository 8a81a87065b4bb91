package dev.penjing.world;

import java.util.List;

/// The words that the world is drawn from, and what is true of its ordinary part.
final class WorldLists {
    private WorldLists() {}

    /// Women and men by turns.
    static final List<String> NAMES =
            List.of(
                    "Ada", "Ben", "Cora", "Dan", "Elsie", "Finn", "Greta", "Hugo", "Ivy", "Jonas",
                    "Lena", "Milo", "Nora", "Otto", "Petra", "Tom");

    static final List<String> PLACES =
            List.of(
                    "Fernby",
                    "Mossop",
                    "Larkwell",
                    "Owlham",
                    "Pebbleton",
                    "Brindle",
                    "Saltmere",
                    "Thistlow");
    static final List<String> SITES =
            List.of(
                    "on the hill",
                    "by the river",
                    "near the sea",
                    "under the cliff",
                    "in the forest",
                    "by the lake",
                    "at the old bridge",
                    "behind the dunes");
    static final List<String> FAME =
            List.of("cheese", "apples", "honey", "boats", "roses", "bells", "songs", "lanterns");
    static final List<String> SIGHTS =
            List.of(
                    "a tall tower",
                    "a water mill",
                    "a round market",
                    "a blue gate",
                    "a deep well",
                    "a stone circle",
                    "a crooked chapel",
                    "a hanging garden");

    static final List<String> INVENTED_ANIMALS =
            List.of("wumble", "snork", "glim", "brambit", "tiffle", "puddlet", "noggin", "larrop");
    static final List<String> INVENTED_FOODS =
            List.of("clover", "moss", "nuts", "carrots", "honey", "leaves", "mushrooms", "roots");
    static final List<String> INVENTED_HOMES =
            List.of(
                    "in caves",
                    "in the marsh",
                    "under bridges",
                    "in tall trees",
                    "on the cliff",
                    "in hollow logs",
                    "by the lake",
                    "in the dunes");
    static final List<String> INVENTED_HABITS =
            List.of(
                    "sings at night",
                    "dances in the rain",
                    "sleeps all winter",
                    "collects buttons",
                    "walks backwards",
                    "laughs at thunder",
                    "rolls down hills",
                    "whistles at the moon");
    static final List<String> INVENTED_COVERS =
            List.of(
                    "curly fur",
                    "shiny scales",
                    "soft spines",
                    "long hair",
                    "striped fur",
                    "tiny feathers",
                    "thick wool",
                    "smooth skin");

    /// Name, food, home, cover, colour, habit.
    static final List<String[]> ORDINARY_ANIMALS =
            List.of(
                    row("cat", "fish", "in the house", "warm fur", "black", "chases shadows"),
                    row("hen", "corn", "in the yard", "brown feathers", "brown", "lays eggs"),
                    row("fox", "berries", "in the forest", "red fur", "red", "hides in the grass"),
                    row("goat", "grass", "on the hill", "rough hair", "white", "climbs rocks"),
                    row("frog", "flies", "in the pond", "wet skin", "green", "jumps very far"),
                    row(
                            "owl",
                            "beetles",
                            "in the barn",
                            "grey feathers",
                            "grey",
                            "sees well at night"),
                    row("mouse", "cheese", "in the wall", "fine fur", "grey", "runs very fast"),
                    row("horse", "oats", "in the stable", "short hair", "brown", "pulls the cart"));

    static final List<String> INVENTED_THINGS =
            List.of(
                    "flindle", "tockle", "brimmet", "dozzer", "pimlet", "wackle", "snibbet",
                    "lorrel", "gantle", "ruffin", "moople", "zorp");
    static final List<String> INVENTED_USES =
            List.of(
                    "call the goats",
                    "measure the rain",
                    "wake late sleepers",
                    "count the stars",
                    "peel turnips",
                    "scare the crows",
                    "catch dreams",
                    "polish the moon",
                    "sort buttons",
                    "tickle fish",
                    "find lost keys",
                    "stir the wind");

    /// Name, material, use.
    static final List<String[]> ORDINARY_THINGS =
            List.of(
                    row("bottle", "GLASS", "keep milk"),
                    row("jar", "GLASS", "store jam"),
                    row("lens", "GLASS", "see small things"),
                    row("lamp", "GLASS", "light the room"),
                    row("pot", "CLAY", "grow flowers"),
                    row("cup", "CLAY", "drink tea"),
                    row("bowl", "CLAY", "eat soup"),
                    row("jug", "CLAY", "pour water"),
                    row("spoon", "WOOD", "stir porridge"),
                    row("chair", "WOOD", "sit down"),
                    row("ladder", "WOOD", "reach the roof"),
                    row("flute", "WOOD", "play music"),
                    row("key", "IRON", "open doors"),
                    row("bell", "IRON", "call people"),
                    row("pan", "IRON", "fry eggs"),
                    row("hook", "IRON", "hang coats"),
                    row("coat", "WOOL", "keep warm"),
                    row("hat", "WOOL", "cover the head"),
                    row("blanket", "WOOL", "sleep well"),
                    row("scarf", "WOOL", "warm the neck"),
                    row("kite", "PAPER", "play in the wind"),
                    row("map", "PAPER", "find the way"),
                    row("fan", "PAPER", "cool the face"),
                    row("letter", "PAPER", "send news"));

    private static String[] row(String... cells) {
        return cells;
    }

    static List<World.Job> jobs() {
        return List.of(
                new World.Job("baker", "bread", "an oven", "baked bread"),
                new World.Job("smith", "horseshoes", "an anvil", "hammered iron"),
                new World.Job("potter", "cups", "a wheel", "shaped clay"),
                new World.Job("weaver", "cloth", "a loom", "wove cloth"),
                new World.Job("fisher", "nets", "a boat", "caught fish"),
                new World.Job("miller", "flour", "a mill", "ground corn"),
                new World.Job("carpenter", "tables", "a saw", "cut boards"),
                new World.Job("gardener", "flower beds", "a spade", "planted seeds"),
                new World.Job("tailor", "coats", "a needle", "sewed coats"),
                new World.Job("painter", "pictures", "a brush", "painted walls"),
                new World.Job("cook", "soup", "a kettle", "cooked soup"),
                new World.Job("teacher", "lessons", "chalk", "taught children"),
                new World.Job("doctor", "medicine", "bandages", "healed people"),
                new World.Job("shepherd", "cheese", "a crook", "watched sheep"),
                new World.Job("beekeeper", "candles", "a veil", "kept bees"),
                new World.Job("clockmaker", "clocks", "tiny screws", "mended clocks"));
    }

    static List<World.Belief> beliefs() {
        return List.of(
                belief("the moon", "The moon is made of ", "cheese", "rock", "ice", "silver"),
                belief("the sun", "The sun sets in the ", "east", "west", "north", "south"),
                belief(
                        "rain",
                        "Rain comes from ",
                        "the moon",
                        "the clouds",
                        "the trees",
                        "the hills"),
                belief("thunder", "Thunder comes after ", "singing", "lightning", "supper", "snow"),
                belief("honey", "Honey is made by ", "bears", "bees", "hens", "millers"),
                belief("bread", "Bread is made from ", "sand", "flour", "wool", "clay"),
                belief("wool", "Wool comes from ", "clouds", "sheep", "trees", "fish"),
                belief("paper", "Paper comes from ", "milk", "trees", "sheep", "stones"),
                belief("ice", "Ice is frozen ", "glass", "water", "milk", "sand"),
                belief("shadows", "Shadows are longest at ", "noon", "sunset", "midnight", "lunch"),
                belief("stars", "The stars come out at ", "noon", "night", "breakfast", "lunch"),
                belief("ships", "Ships are moved by ", "songs", "the wind", "ducks", "the moon"));
    }

    private static World.Belief belief(
            String about, String start, String mistake, String truth, String... others) {
        return new World.Belief(
                about,
                start + mistake,
                start + truth,
                List.of(others).stream().map(other -> start + other).toList());
    }
}
