/**
 * The locks: acquiring, waiting, handing over, releasing.
 */
@NullMarked
package io.github.consullock.lock;

import org.jspecify.annotations.NullMarked;
