/**
 * Delivers webhooks, one at a time per receiver, over several instances.
 */
@NullMarked
package io.github.consullock.sample;

import org.jspecify.annotations.NullMarked;
