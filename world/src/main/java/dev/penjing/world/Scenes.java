package dev.penjing.world;

import java.util.ArrayList;
import java.util.List;

/// Little stories of the valley.
final class Scenes {
    private static final List<String> DAYS =
            List.of(
                    "On Monday",
                    "On Sunday",
                    "One morning",
                    "In the evening",
                    "After lunch",
                    "In spring",
                    "One rainy day",
                    "Before supper");

    private final World world;
    private final Draw draw;

    Scenes(World world, Draw draw) {
        this.world = world;
        this.draw = draw;
    }

    Scene any() {
        return switch (draw.below(6)) {
            case 0 -> gift();
            case 1 -> accident();
            case 2 -> walk();
            case 3 -> hungryPet();
            case 4 -> work();
            default -> meal();
        };
    }

    private record Gift(World.Person giver, World.Person taker, World.Thing thing) {}

    Scene gift() {
        Gift gift =
                draw.keyed(
                        () -> {
                            List<World.Person> two = draw.some(world.people(), 2);
                            return new Gift(two.get(0), two.get(1), draw.of(world.things()));
                        },
                        g ->
                                "gift|"
                                        + g.giver().name()
                                        + "|"
                                        + g.taker().name()
                                        + "|"
                                        + g.thing().name());
        World.Person a = gift.giver();
        World.Person b = gift.taker();
        World.Thing thing = gift.thing();
        World.Thing other = draw.other(world.things(), List.of(thing));
        World.Person c = draw.other(world.people(), List.of(a, b));
        String place = draw.of(world.places()).name();
        String day = draw.of(DAYS);
        String begin =
                draw.of(
                        day + " " + a.name() + " finds " + thing.a() + " in " + place + ".",
                        day + " " + a.name() + " buys " + thing.a() + " in " + place + ".",
                        a.name() + " has " + thing.a() + " at home in " + a.home().name() + ".");
        String give =
                draw.of(
                        a.name()
                                + " meets "
                                + b.name()
                                + " and gives "
                                + b.them()
                                + " the "
                                + thing.name()
                                + ".",
                        Text.capital(a.they()) + " brings it to " + b.name() + ".",
                        b.name()
                                + " needs "
                                + thing.a()
                                + ", so "
                                + a.name()
                                + " gives it to "
                                + b.them()
                                + ".");
        return new Scene(
                begin + " " + give,
                "Now " + b.name() + " has the " + thing.name() + ".",
                List.of(
                        "Now " + a.name() + " has the " + thing.name() + ".",
                        "Now " + b.name() + " has the " + other.name() + ".",
                        "Now " + c.name() + " has the " + thing.name() + "."),
                a.name() + " gives " + b.name() + " " + thing.a() + ".",
                List.of(
                        b.name() + " gives " + a.name() + " " + thing.a() + ".",
                        a.name() + " gives " + b.name() + " " + other.a() + ".",
                        a.name() + " gives " + c.name() + " " + thing.a() + "."));
    }

    private record Accident(World.Thing thing, World.Mishap mishap) {}

    private Scene accident() {
        Accident accident =
                draw.keyed(
                        () ->
                                new Accident(
                                        draw.of(world.things()),
                                        draw.of(List.of(World.Mishap.values()))),
                        a -> "mishap|" + a.thing().name() + "|" + a.mishap());
        World.Thing thing = accident.thing();
        World.Mishap mishap = accident.mishap();
        List<String> wrong = new ArrayList<>();
        for (World.Material material : World.Material.values()) {
            if (material != thing.material()) {
                wrong.add(material.outcome(mishap) + ".");
            }
        }
        String event =
                mishap.event
                        .replace("{p}", draw.of(world.people()).name())
                        .replace("{t}", thing.name());
        return new Scene(
                draw.of(DAYS) + " " + event,
                thing.material().outcome(mishap) + ".",
                draw.some(wrong, 3));
    }

    private record Walk(World.Person person, List<World.Place> places) {}

    private Scene walk() {
        Walk walk =
                draw.keyed(
                        () -> new Walk(draw.of(world.people()), draw.some(world.places(), 4)),
                        w ->
                                "walk|%s|%s|%s"
                                        .formatted(
                                                w.person().name(),
                                                w.places().get(0).name(),
                                                w.places().get(1).name()));
        World.Person person = walk.person();
        List<World.Place> places = walk.places();
        String sees = Text.capital(person.they()) + " sees ";
        String walks = draw.of("walks", "rides", "goes");
        return new Scene(
                "%s %s %s from %s to %s. %s looks around."
                        .formatted(
                                draw.of(DAYS),
                                person.name(),
                                walks,
                                places.get(0).name(),
                                places.get(1).name(),
                                Text.capital(person.they())),
                sees + places.get(1).sight() + ".",
                List.of(
                        sees + places.get(0).sight() + ".",
                        sees + places.get(2).sight() + ".",
                        sees + places.get(3).sight() + "."));
    }

    private record Feeding(String day, World.Person person, World.Animal animal) {}

    private Scene hungryPet() {
        Feeding feeding =
                draw.keyed(
                        () ->
                                new Feeding(
                                        draw.of(DAYS),
                                        draw.of(world.people()),
                                        draw.of(world.animals())),
                        f -> "feed|" + f.person().name() + "|" + f.animal().name());
        World.Animal animal = feeding.animal();
        List<String> foods =
                world.animals().stream()
                        .map(World.Animal::food)
                        .filter(food -> !food.equals(animal.food()))
                        .distinct()
                        .toList();
        String name = feeding.person().name();
        String gives = name + " gives it some ";
        return new Scene(
                feeding.day() + " " + name + " meets a hungry " + animal.name() + ".",
                gives + animal.food() + ".",
                draw.some(foods, 3).stream().map(food -> gives + food + ".").toList());
    }

    private record Shift(String day, World.Person person) {}

    private Scene work() {
        Shift shift =
                draw.keyed(
                        () -> new Shift(draw.of(DAYS), draw.of(world.people())),
                        s -> "work|" + s.day() + "|" + s.person().name());
        World.Person person = shift.person();
        List<World.Job> others = new ArrayList<>(world.jobs());
        others.remove(person.job());
        String all =
                draw.of("For many hours ", "Until it was dark ", "All the time ")
                        + person.they()
                        + " ";
        return new Scene(
                shift.day() + " " + person.name() + " went to work.",
                all + person.job().work() + ".",
                draw.some(others, 3).stream().map(job -> all + job.work() + ".").toList());
    }

    private Scene meal() {
        List<World.Person> two =
                draw.keyed(
                        () -> draw.some(world.people(), 2),
                        p -> "meal|" + p.get(0).name() + "|" + p.get(1).name());
        World.Person guest = two.get(1);
        List<String> meals = new ArrayList<>(World.MEALS);
        meals.remove(guest.food());
        String eats = guest.name() + " is happy and eats the ";
        return new Scene(
                draw.of(DAYS)
                        + " "
                        + two.get(0).name()
                        + " cooks what "
                        + guest.name()
                        + " likes best.",
                eats + guest.food() + ".",
                draw.some(meals, 3).stream().map(meal -> eats + meal + ".").toList());
    }
}
