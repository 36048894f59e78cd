@NullMarked
package io.github.consullock.testserver;

import org.jspecify.annotations.NullMarked;
