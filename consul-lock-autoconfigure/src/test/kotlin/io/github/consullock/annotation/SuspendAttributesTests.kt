package io.github.consullock.annotation

import io.github.consullock.LockHandle
import io.github.consullock.LockLostException
import io.github.consullock.LockLostReason
import io.github.consullock.LockNotAcquiredException
import io.github.consullock.consul.InMemoryConsulClient
import io.github.consullock.lock.ConsulLockRegistry
import java.time.Duration
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit
import java.util.function.Supplier
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import org.assertj.core.api.Assertions.assertThat
import org.assertj.core.api.Assertions.assertThatExceptionOfType
import org.awaitility.Awaitility.await
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.springframework.context.annotation.AnnotationConfigApplicationContext

@Timeout(180)
class SuspendAttributesTests {

    private val client = InMemoryConsulClient()

    private val registry = ConsulLockRegistry.builder(client)
        .waitTime(Duration.ofMinutes(1))
        .shutdownTimeout(Duration.ZERO)
        .build()

    private val context = AnnotationConfigApplicationContext()

    private lateinit var functions: Functions

    @BeforeEach
    fun start() {
        context.register(LockContext.Locking::class.java, Functions::class.java)
        context.registerBean(ConsulLockRegistry::class.java, Supplier { registry })
        context.refresh()
        functions = context.getBean(Functions::class.java)
    }

    @AfterEach
    fun nothingIsLeft() {
        await().until { registry.heldLocks().isEmpty() }
        context.close()
        client.close()
    }

    @Test
    fun `several keys are held until the function has ended`() {
        val work = Work()
        val result = start { functions.keys("a", listOf("b", "c"), work, null) }
        assertThat(work.handle().keys()).containsExactly("locks/a", "locks/b", "locks/c")
        for (key in listOf("a", "b", "c")) {
            assertThat(registry.obtain(key).tryAcquire(Duration.ZERO)).isEmpty()
        }
        work.end.complete("done")
        assertThat(await(result)).isEqualTo("done")
        registry.obtainAll(listOf("a", "b", "c")).acquire().close()
    }

    @Test
    fun `as many run as the limit says`() {
        val works = List(3) { Work() }
        val results = works.map { start { functions.limited(it, null) } }
        await().until { works.count { it.started.isDone } == 2 }
        assertThat(registry.semaphore("pool", 2).tryAcquire(Duration.ZERO)).isEmpty()
        val waiting = works.first { !it.started.isDone }
        works.first { it.started.isDone }.end.complete("done")
        assertThat(waiting.handle().isHeld).isTrue()
        works.forEach { it.end.complete("done") }
        assertThat(results.map { await(it) }).containsOnly("done")
    }

    @Test
    fun `a function that takes too long is cancelled`() {
        val work = Work()
        val result = start { functions.brief(work, null) }
        assertThatExceptionOfType(LockLostException::class.java).isThrownBy { await(result) }
            .satisfies({ assertThat(it.reason()).isEqualTo(LockLostReason.MAX_HOLD_EXCEEDED) })
        // If it has begun in time.
        await().until { work.cancelled.isDone || !work.started.isDone }
    }

    @Test
    fun `others are kept out for as long as the lock is to be held at least`() {
        val work = Work()
        work.end.complete("done")
        assertThat(await(start { functions.long(work, null) })).isEqualTo("done")
        assertThat(work.handle().isHeld).isFalse()
        assertThat(registry.obtain("long").tryAcquire(Duration.ZERO)).isEmpty()
    }

    @Test
    fun `a fallback may suspend or not and take the exception or not`() {
        registry.obtain("held").acquire().use {
            runBlocking {
                assertThat(functions.withSuspending("x", null)).isEqualTo("suspending x")
                assertThat(functions.withSuspendingAndReason("x")).isEqualTo("suspending x: locks/held")
                assertThat(functions.withPlain("x", null)).isEqualTo("plain x")
                assertThat(functions.withPlainAndReason("x")).isEqualTo("plain x: locks/held")
                assertThat(functions.withNumber()).isEqualTo(-1)
                assertThat(functions.withNull()).isNull()
                functions.withNothing()
                assertThat(functions.withFlow().toList()).containsExactly("instead")
                assertThat(functions.withSuspendingFlow().toList()).containsExactly("suspending")
            }
            assertThatExceptionOfType(IllegalArgumentException::class.java)
                .isThrownBy { runBlocking { functions.withFailure() } }
                .withMessage("fallback")
        }
    }

    @Test
    fun `a function that is skipped returns what says that nothing was done`() {
        registry.obtain("held").acquire().use {
            runBlocking {
                assertThat(functions.skipList()).isEmpty()
                assertThat(functions.skipNumber()).isNull()
                assertThat(functions.skipBoolean()).isFalse()
                functions.skipNothing()
                assertThat(functions.skipFlow().toList()).isEmpty()
            }
        }
    }

    @Test
    fun `what does not fit stops the start`() {
        assertThat(LockContext.refusal(SkipsNumber::class.java)).hasMessageContaining("declared never to be null")
        assertThat(LockContext.refusal(FallbackOfOtherType::class.java)).hasMessageContaining("'instead' returns int")
        assertThat(LockContext.refusal(PlainWithSuspendingFallback::class.java))
            .hasMessageContaining("there is suspend instead()")
        assertThat(LockContext.refusal(NoSuchFallback::class.java).action())
            .contains("instead(String) or instead(String, LockNotAcquiredException)")
        assertThat(LockContext.refusal(TwoFallbacks::class.java)).hasMessageContaining("two methods fit")
        assertThat(LockContext.refusal(NonNullHandle::class.java)).hasMessageContaining("never to be null")
    }

    /** Whether the result may be null is not in the class file. */
    @Test
    fun `a future may skip`() {
        LockContext.start(SkipsFuture::class.java).close()
    }

    private fun start(call: suspend () -> String): Deferred<String> = CoroutineScope(Dispatchers.Default).async { call() }

    private fun await(result: Deferred<String>): String = runBlocking { result.await() }

    /** Work that ends when a test says so. */
    class Work {

        val started = CompletableFuture<LockHandle>()

        val end = CompletableDeferred<String>()

        val cancelled = CompletableFuture<Boolean>()

        fun handle(): LockHandle = started.get(1, TimeUnit.MINUTES)

        suspend fun run(handle: LockHandle?): String {
            started.complete(handle!!)
            try {
                return end.await()
            }
            catch (ex: kotlinx.coroutines.CancellationException) {
                cancelled.complete(true)
                throw ex
            }
        }

    }

    open class Functions {

        @DistributedLock(keys = ["#{#first}", "#{#others}"])
        open suspend fun keys(first: String, others: List<String>, work: Work, handle: LockHandle?): String =
            work.run(handle)

        @DistributedLock(key = "pool", limit = 2)
        open suspend fun limited(work: Work, handle: LockHandle?): String = work.run(handle)

        @DistributedLock(key = "brief", maxHold = "200ms")
        open suspend fun brief(work: Work, handle: LockHandle?): String = work.run(handle)

        @DistributedLock(key = "long", holdAtLeast = "10m")
        open suspend fun long(work: Work, handle: LockHandle?): String = work.run(handle)

        @DistributedLock(key = "held", waitTime = "0s", fallback = "suspending")
        open suspend fun withSuspending(text: String, handle: LockHandle?): String = fail()

        suspend fun suspending(text: String, handle: LockHandle?): String {
            delay(1)
            assertThat(handle).isNull()
            return "suspending $text"
        }

        @DistributedLock(key = "held", waitTime = "0s", fallback = "suspendingWithReason")
        open suspend fun withSuspendingAndReason(text: String): String = fail()

        private suspend fun suspendingWithReason(text: String, reason: LockNotAcquiredException): String {
            delay(1)
            return "suspending $text: ${reason.key()}"
        }

        @DistributedLock(key = "held", waitTime = "0s", fallback = "plain")
        open suspend fun withPlain(text: String, handle: LockHandle?): String = fail()

        fun plain(text: String, handle: LockHandle?): String {
            assertThat(handle).isNull()
            return "plain $text"
        }

        @DistributedLock(key = "held", waitTime = "0s", fallback = "plainWithReason")
        open suspend fun withPlainAndReason(text: String): String = fail()

        private fun plainWithReason(text: String, reason: LockNotAcquiredException): String = "plain $text: ${reason.key()}"

        @DistributedLock(key = "held", waitTime = "0s", fallback = "number")
        open suspend fun withNumber(): Int = fail()

        fun number(): Int = -1

        @DistributedLock(key = "held", waitTime = "0s", fallback = "nothing")
        open suspend fun withNull(): String? = fail()

        fun nothing(): String? = null

        @DistributedLock(key = "held", waitTime = "0s", fallback = "doNothing")
        open suspend fun withNothing() {
            fail()
        }

        fun doNothing() {
        }

        @DistributedLock(key = "held", waitTime = "0s", fallback = "otherFlow")
        open suspend fun withFlow(): Flow<String> = fail()

        fun otherFlow(): Flow<String> = flowOf("instead")

        @DistributedLock(key = "held", waitTime = "0s", fallback = "suspendingFlow")
        open suspend fun withSuspendingFlow(): Flow<String> = fail()

        suspend fun suspendingFlow(): Flow<String> {
            delay(1)
            return flowOf("suspending")
        }

        @DistributedLock(key = "held", waitTime = "0s", fallback = "failure")
        open suspend fun withFailure(): String = fail()

        fun failure(): String = throw IllegalArgumentException("fallback")

        @DistributedLock(key = "held", waitTime = "0s", onNotAcquired = NotAcquiredPolicy.SKIP)
        open suspend fun skipList(): List<String> = fail()

        @DistributedLock(key = "held", waitTime = "0s", onNotAcquired = NotAcquiredPolicy.SKIP)
        open suspend fun skipNumber(): Int? = fail()

        @DistributedLock(key = "held", waitTime = "0s", onNotAcquired = NotAcquiredPolicy.SKIP)
        open suspend fun skipBoolean(): Boolean = fail()

        @DistributedLock(key = "held", waitTime = "0s", onNotAcquired = NotAcquiredPolicy.SKIP)
        open suspend fun skipNothing() {
            fail()
        }

        @DistributedLock(key = "held", waitTime = "0s", onNotAcquired = NotAcquiredPolicy.SKIP)
        open suspend fun skipFlow(): Flow<String> = fail()

        private fun fail(): Nothing = throw AssertionError("ran")

    }

    open class SkipsFuture {

        @DistributedLock(key = "a", onNotAcquired = NotAcquiredPolicy.SKIP)
        open fun run(): CompletableFuture<String?> = CompletableFuture.completedFuture("ran")

    }

    open class SkipsNumber {

        @DistributedLock(key = "a", onNotAcquired = NotAcquiredPolicy.SKIP)
        open suspend fun run(): Int = 1

    }

    open class FallbackOfOtherType {

        @DistributedLock(key = "a", fallback = "instead")
        open suspend fun run(): String = ""

        fun instead(): Int = 1

    }

    open class PlainWithSuspendingFallback {

        @DistributedLock(key = "a", fallback = "instead")
        open fun run(): String = ""

        suspend fun instead(): String = ""

    }

    open class NoSuchFallback {

        @DistributedLock(key = "a", fallback = "instead")
        open suspend fun run(text: String): String = text

        fun instead(number: Int): String = "$number"

    }

    open class TwoFallbacks {

        @DistributedLock(key = "a", fallback = "instead")
        open suspend fun run(): String = ""

        fun instead(): String = ""

        suspend fun instead(reason: LockNotAcquiredException): String = "$reason"

    }

    open class NonNullHandle {

        @DistributedLock("a")
        open suspend fun run(handle: LockHandle): String = handle.key()

    }

}
