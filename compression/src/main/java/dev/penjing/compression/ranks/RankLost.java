package dev.penjing.compression.ranks;

import dev.penjing.model.PenjingException;

/// Another rank ended, failed or cannot be heard any more. This one can do nothing about it but end
/// too; started again together, all go on from the last checkpoint.
public final class RankLost extends PenjingException {
    private static final long serialVersionUID = 1L;

    public RankLost(String message) {
        super(message);
    }
}
