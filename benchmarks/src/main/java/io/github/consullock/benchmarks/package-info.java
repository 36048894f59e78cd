/**
 * Measures this library beside other locks: every contender on every workload that suits
 * it, in alternating rounds. Where to find what:
 * <ul>
 * <li>{@code Benchmarks} runs it all; an {@code Experiment} is what is measured</li>
 * <li>A {@code SideBySide} is an experiment that a {@code Contender} takes part in, which
 * makes {@code Client}s of a {@code Store}; a {@code Load} keeps the clients busy</li>
 * <li>{@code Results} keeps what was measured; {@code Report}, {@code Charts} and
 * {@code Targets} say it</li>
 * </ul>
 */
@NullMarked
package io.github.consullock.benchmarks;

import org.jspecify.annotations.NullMarked;
