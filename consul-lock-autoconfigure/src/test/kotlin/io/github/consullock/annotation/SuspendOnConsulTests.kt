package io.github.consullock.annotation

import io.github.consullock.LockHandle
import io.github.consullock.LockLostException
import io.github.consullock.PatientClient
import io.github.consullock.lock.ConsulLockRegistry
import io.github.consullock.testserver.ConsulServer
import io.github.consullock.testserver.ConsulTest
import io.github.consullock.testserver.KeyPrefix
import java.time.Duration
import java.util.concurrent.CompletableFuture
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.runBlocking
import org.assertj.core.api.Assertions.assertThat
import org.assertj.core.api.Assertions.assertThatExceptionOfType
import org.awaitility.Awaitility.await
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.springframework.context.annotation.AnnotationConfigApplicationContext

@ConsulTest
@Timeout(180)
class SuspendOnConsulTests(consul: ConsulServer) {

    private val client = PatientClient(consul.httpUri())

    private val instances = mutableListOf<AnnotationConfigApplicationContext>()

    private lateinit var prefix: String

    @BeforeEach
    fun useKeysOfItsOwn(keys: KeyPrefix) {
        prefix = keys.key("locks/")
    }

    @AfterEach
    fun leaveNothingBehind() {
        for (instance in instances) {
            await().untilAsserted {
                assertThat(instance.getBean(ConsulLockRegistry::class.java).heldLocks()).isEmpty()
            }
            instance.close()
        }
        client.close()
    }

    @Test
    fun `one instance runs until its function has ended`() = runBlocking<Unit> {
        val first = Body()
        val second = Body()
        val one = start(first)
        val token = first.started.get().fencingToken()
        val two = start(second)
        assertThat(second.started).isNotDone()
        first.end.complete("one")
        assertThat(one.await()).isEqualTo("one")
        assertThat(second.started.get().fencingToken()).isGreaterThan(token)
        second.end.completeExceptionally(IllegalArgumentException("two"))
        assertThatExceptionOfType(IllegalArgumentException::class.java).isThrownBy { runBlocking { two.await() } }
        assertThat(client.read(prefix + "work", TIMEOUT)).isEmpty()
    }

    @Test
    fun `a cancel releases`() {
        val body = Body()
        val result = start(body)
        body.started.get()
        result.cancel()
        await().until { client.read(prefix + "work", TIMEOUT).isEmpty }
    }

    @Test
    fun `a loss cancels the function`() {
        val body = Body()
        val result = start(body)
        body.started.get()
        client.destroySession(client.read(prefix + "work", TIMEOUT).orElseThrow().session()!!)
        assertThatExceptionOfType(LockLostException::class.java).isThrownBy { runBlocking { result.await() } }
        await().until { body.cancelled.isDone }
    }

    private fun start(body: Body): Deferred<String> {
        val work = instance()
        return CoroutineScope(Dispatchers.Default).async { work.run(body, null) }
    }

    private fun instance(): Work {
        val context = AnnotationConfigApplicationContext()
        context.register(LockContext.Locking::class.java, Work::class.java)
        context.registerBean(ConsulLockRegistry::class.java, java.util.function.Supplier {
            ConsulLockRegistry.builder(client)
                .keyPrefix(prefix)
                .waitTime(TIMEOUT)
                .shutdownTimeout(Duration.ofMillis(200))
                .build()
        })
        context.refresh()
        instances += context
        return context.getBean(Work::class.java)
    }

    class Body {

        val started = CompletableFuture<LockHandle>()

        val end = CompletableDeferred<String>()

        val cancelled = CompletableFuture<Boolean>()

    }

    open class Work {

        @DistributedLock("work")
        open suspend fun run(body: Body, handle: LockHandle?): String {
            body.started.complete(handle!!)
            try {
                return body.end.await()
            }
            catch (ex: kotlinx.coroutines.CancellationException) {
                body.cancelled.complete(true)
                throw ex
            }
        }

    }

    companion object {

        private val TIMEOUT: Duration = Duration.ofSeconds(60)

    }

}
