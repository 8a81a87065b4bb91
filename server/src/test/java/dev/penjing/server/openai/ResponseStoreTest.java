package dev.penjing.server.openai;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ResponseStoreTest {
    private static ResponseStore.Stored of(int bytes) {
        return new ResponseStore.Stored(new byte[bytes - 1], new byte[1]);
    }

    @Test
    void theOldestMakesRoomForOneTooMany() {
        ResponseStore store = new ResponseStore(2, 100);
        store.put("a", of(10));
        store.put("b", of(10));
        assertThat(store.get("a")).isPresent();
        store.put("c", of(10));
        assertThat(store.get("a")).isEmpty();
        assertThat(store.get("b")).isPresent();
        assertThat(store.get("c")).isPresent();
    }

    @Test
    void theOldestMakeRoomForBytes() {
        ResponseStore store = new ResponseStore(10, 100);
        store.put("a", of(40));
        store.put("b", of(40));
        store.put("c", of(90));
        assertThat(store.get("a")).isEmpty();
        assertThat(store.get("b")).isEmpty();
        assertThat(store.get("c")).isPresent();
    }

    @Test
    void whatIsTooLargeDrivesNothingOut() {
        ResponseStore store = new ResponseStore(10, 100);
        store.put("a", of(40));
        store.put("b", of(101));
        assertThat(store.get("a")).isPresent();
        assertThat(store.get("b")).isEmpty();
    }

    @Test
    void whatWasRemovedTakesNoRoom() {
        ResponseStore store = new ResponseStore(10, 100);
        store.put("a", of(60));
        assertThat(store.remove("a")).isTrue();
        assertThat(store.remove("a")).isFalse();
        store.put("b", of(50));
        store.put("c", of(50));
        assertThat(store.get("b")).isPresent();
        assertThat(store.get("c")).isPresent();
    }
}
