package dev.penjing.server.http;

/// Names that a person may have confused.
public final class Spelling {
    private Spelling() {}

    /// Whether at most two letters have to be put in, taken out or changed.
    public static boolean near(String a, String b) {
        return distance(a, b) <= 2;
    }

    /// How many letters have to be put in, taken out or changed.
    static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j < row.length; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j < row.length; j++) {
                int change = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(change, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
