/// Several processes, on one machine or on many, that train one model together: where each stands
/// ([RankPlace]), how they meet and add up their gradients ([GlooRanks]), how they know that one of
/// them is gone ([RankLost]), and how one machine starts them ([RankProcesses]).
@NullMarked
package dev.penjing.compression.ranks;

import org.jspecify.annotations.NullMarked;
