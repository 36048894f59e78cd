package io.github.consullock.annotation

import io.github.consullock.LockHandle
import io.github.consullock.LockLostException
import io.github.consullock.LockLostReason
import io.github.consullock.LockNotAcquiredException
import java.util.concurrent.CompletableFuture
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.reactive.awaitSingle
import kotlinx.coroutines.reactor.ReactorContext
import kotlinx.coroutines.runBlocking
import org.assertj.core.api.Assertions.assertThat
import org.assertj.core.api.Assertions.assertThatExceptionOfType
import org.awaitility.Awaitility.await
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.springframework.context.annotation.AnnotationConfigApplicationContext

@Timeout(120)
class SuspendTests {

    private lateinit var context: AnnotationConfigApplicationContext

    private lateinit var registry: FakeLockRegistry

    private lateinit var functions: Functions

    private val started = CompletableFuture<Boolean>()

    @BeforeEach
    fun start() {
        context = LockContext.start(Functions::class.java)
        registry = LockContext.registry(context)
        functions = context.getBean(Functions::class.java)
    }

    @AfterEach
    fun leaveNothingBehind() {
        LockContext.closeWhenIdle(context)
    }

    @Test
    fun `the lock is held until the function has ended`() = runBlocking<Unit> {
        val body = CompletableDeferred<String>()
        val result = async(Dispatchers.Default) { functions.run(42) { body.await() } }
        await().until { !registry.isFree }
        assertThat(result.isCompleted).isFalse()
        body.complete("done")
        assertThat(result.await()).isEqualTo("done")
        assertThat(registry.events).containsExactly("acquire locks/a/42", "release locks/a/42")
    }

    @Test
    fun `a function without result is locked too`() = runBlocking<Unit> {
        var ran = false
        functions.nothing { ran = !registry.isFree }
        assertThat(ran).isTrue()
        assertThat(registry.isFree).isTrue()
    }

    @Test
    fun `what the function throws reaches the caller`() {
        assertThatExceptionOfType(IllegalArgumentException::class.java)
            .isThrownBy { runBlocking { functions.run(1) { delay(1); throw IllegalArgumentException("body") } } }
            .withMessage("body")
        assertThat(registry.isFree).isTrue()
    }

    @Test
    fun `a cancel of the caller cancels the function and releases`() = runBlocking<Unit> {
        val cancelled = CompletableFuture<Boolean>()
        val caller = launch(Dispatchers.Default) { functions.run(1) { awaitAndTell(cancelled) } }
        started.get()
        caller.cancel()
        assertThat(cancelled.get()).isTrue()
        await().until { registry.isFree }
    }

    @Test
    fun `a cancel of the caller ends the wait`() = runBlocking<Unit> {
        registry.turn = CompletableFuture()
        val caller = launch(Dispatchers.Unconfined) { functions.run(1) { throw AssertionError("ran") } }
        caller.cancel()
        caller.join()
        registry.turn.complete(null)
        assertThat(registry.events).containsExactly("cancel locks/a/1")
    }

    @Test
    fun `a loss cancels the function`() {
        val cancelled = CompletableFuture<Boolean>()
        assertThatExceptionOfType(LockLostException::class.java).isThrownBy {
            runBlocking {
                val result = CoroutineScope(Dispatchers.Default).async { functions.run(1) { awaitAndTell(cancelled) } }
                started.get()
                registry.holder("a/1").lose(LockLostReason.SESSION_INVALIDATED)
                result.await()
            }
        }.satisfies({ assertThat(it.reason()).isEqualTo(LockLostReason.SESSION_INVALIDATED) })
        assertThat(cancelled.get()).isTrue()
    }

    @Test
    fun `the hold is in the context and a call of the same key joins it`() = runBlocking<Unit> {
        val joined = functions.run(1) {
            delay(1)
            assertThat(kotlin.coroutines.coroutineContext[ReactorContext]).isNotNull()
            functions.run(1) { ReactiveLockHandle.current().awaitSingle().key() }
        }
        assertThat(joined).isEqualTo("locks/a/1")
        assertThat(registry.events).containsExactly("acquire locks/a/1", "release locks/a/1")
    }

    @Test
    fun `the function receives its hold`() = runBlocking<Unit> {
        assertThat(functions.key(null)).isEqualTo("locks/b")
    }

    @Test
    fun `a call that does not get the lock throws or is skipped or falls back`() = runBlocking<Unit> {
        registry.obtain("skip").acquire().use {
            assertThat(functions.skipText()).isNull()
            assertThat(functions.skipBoolean()).isFalse()
            functions.skipNothing()
            assertThat(functions.fallBack("x")).isEqualTo("instead of x: locks/skip")
        }
        assertThat(functions.skipBoolean()).isTrue()
        registry.obtain("a/1").acquire().use {
            assertThatExceptionOfType(LockNotAcquiredException::class.java)
                .isThrownBy { runBlocking { functions.run(1) { "ran" } } }
        }
    }

    @Test
    fun `a flow is locked while it is collected`() = runBlocking<Unit> {
        for (flow in listOf(functions.flow(flowOf("a", "b")), functions.suspendedFlow(flowOf("a", "b")))) {
            registry.events.clear()
            assertThat(flow.toList()).containsExactly("a", "b")
            assertThat(flow.toList()).containsExactly("a", "b")
            assertThat(registry.events).containsExactly("acquire locks/a", "release locks/a", "acquire locks/a",
                "release locks/a")
        }
    }

    @Test
    fun `a loss ends a flow`() {
        val cancelled = CompletableFuture<Boolean>()
        assertThatExceptionOfType(LockLostException::class.java).isThrownBy {
            runBlocking {
                // The cancel may come before the flow goes on.
                functions.flow(flow { awaitAndTell(cancelled) { emit("a") } })
                    .collect { registry.holder("a").lose(LockLostReason.KEY_DELETED) }
            }
        }
        assertThat(cancelled.get()).isTrue()
    }

    @Test
    fun `what is under way when it is returned stops the start`() {
        for (type in listOf(ReturnsDeferred::class.java, SuspendReturnsFuture::class.java,
            SuspendSkipsNonNull::class.java)) {
            assertThat(LockContext.refusal(type).method()).isNotNull()
        }
    }

    private suspend fun awaitAndTell(cancelled: CompletableFuture<Boolean>, first: suspend () -> Unit = {}): Nothing {
        started.complete(true)
        try {
            first()
            awaitCancellation()
        }
        catch (ex: CancellationException) {
            cancelled.complete(true)
            throw ex
        }
    }

    open class Functions {

        @DistributedLock("a/#{#id}")
        open suspend fun run(id: Int, body: suspend () -> String): String = body()

        @DistributedLock("a")
        open suspend fun nothing(body: suspend () -> Unit) = body()

        @DistributedLock("b")
        open suspend fun key(handle: LockHandle?): String {
            delay(1)
            return handle!!.key()
        }

        @DistributedLock("a")
        open fun flow(body: Flow<String>): Flow<String> = body

        @DistributedLock("a")
        open suspend fun suspendedFlow(body: Flow<String>): Flow<String> {
            delay(1)
            return body
        }

        @DistributedLock(key = "skip", onNotAcquired = NotAcquiredPolicy.SKIP)
        open suspend fun skipText(): String? = throw IllegalStateException("ran")

        @DistributedLock(key = "skip", onNotAcquired = NotAcquiredPolicy.SKIP)
        open suspend fun skipBoolean(): Boolean = true

        @DistributedLock(key = "skip", onNotAcquired = NotAcquiredPolicy.SKIP)
        open suspend fun skipNothing() {
            throw IllegalStateException("ran")
        }

        @DistributedLock(key = "skip", fallback = "instead")
        open suspend fun fallBack(text: String): String = throw IllegalStateException("ran")

        open suspend fun instead(text: String, failure: LockNotAcquiredException): String {
            delay(1)
            return "instead of $text: ${failure.key()}"
        }

    }

    open class ReturnsDeferred {

        @DistributedLock("a")
        open fun run(): Deferred<String> = CompletableDeferred("")

    }

    open class SuspendReturnsFuture {

        @DistributedLock("a")
        open suspend fun run(): CompletableFuture<String> = CompletableFuture.completedFuture("")

    }

    open class SuspendSkipsNonNull {

        @DistributedLock(key = "a", onNotAcquired = NotAcquiredPolicy.SKIP)
        open suspend fun run(): String = ""

    }

}
