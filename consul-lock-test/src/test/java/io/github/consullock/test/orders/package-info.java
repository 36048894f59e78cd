/**
 * An application, and its tests as those of a user would be.
 */
@NullMarked
package io.github.consullock.test.orders;

import org.jspecify.annotations.NullMarked;
