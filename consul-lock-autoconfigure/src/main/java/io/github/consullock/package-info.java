/**
 * What users hold: the handle of a lock, its options, and what can go wrong.
 */
@NullMarked
package io.github.consullock;

import org.jspecify.annotations.NullMarked;
