package dev.penjing.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class PenjingVersionTest {
    @Test
    void theVersionIsThatOfThePom() throws IOException {
        String pom = Files.readString(Path.of("pom.xml"));
        Matcher parent =
                Pattern.compile("<artifactId>penjing</artifactId><version>([^<]+)</version>")
                        .matcher(pom);
        assertThat(parent.find()).isTrue();
        assertThat(PenjingVersion.version()).isEqualTo(parent.group(1));
    }

    @Test
    void theCommitIsOneOrUnknown() {
        assertThat(PenjingVersion.commit()).matches("[0-9a-f]{40}(-dirty)?|unknown");
        if (Files.exists(Path.of("../.git"))) {
            assertThat(PenjingVersion.commit()).isNotEqualTo(PenjingVersion.UNKNOWN);
        }
    }
}
