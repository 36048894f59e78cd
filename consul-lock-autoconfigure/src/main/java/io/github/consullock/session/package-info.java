/**
 * Keeps a session alive, knows its local deadline, and tells of its loss.
 */
@NullMarked
package io.github.consullock.session;

import org.jspecify.annotations.NullMarked;
