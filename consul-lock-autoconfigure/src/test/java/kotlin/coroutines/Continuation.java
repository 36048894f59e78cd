package kotlin.coroutines;

/**
 * Stands for Kotlin's own: the last parameter of a compiled {@code suspend} function.
 *
 * @param <T> what the function returns
 */
public interface Continuation<T> {

}
