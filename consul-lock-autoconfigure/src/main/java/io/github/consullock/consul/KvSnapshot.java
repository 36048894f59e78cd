package io.github.consullock.consul;

import org.jspecify.annotations.Nullable;

/**
 * An entry at a moment, as {@link ConsulClient#watch} gives it.
 *
 * @param index the index to go on watching from; at least 1
 * @param entry the entry, or {@code null} if there was none
 * @since 0.1.0
 */
public record KvSnapshot(long index, @Nullable KvEntry entry) {
}
