package io.github.consullock.webflux

import io.github.consullock.annotation.DistributedLock
import kotlinx.coroutines.reactive.awaitSingle
import org.springframework.stereotype.Service
import org.springframework.web.bind.annotation.GetMapping
import org.springframework.web.bind.annotation.PathVariable
import org.springframework.web.bind.annotation.RestController

@RestController
open class SuspendingController(private val service: SuspendingService, private val works: WorkList) {

    @GetMapping("/suspend/{key}/{work}")
    open suspend fun suspending(@PathVariable key: String, @PathVariable work: String): String =
        service.run(key, works.get(key, work))

    @GetMapping("/suspending-controller/{key}/{work}")
    @DistributedLock("#{#key}")
    open suspend fun locked(@PathVariable key: String, @PathVariable work: String): String =
        works.get(key, work).publish().awaitSingle()

}

@Service
open class SuspendingService {

    @DistributedLock("#{#key}")
    open suspend fun run(key: String, work: Work): String = work.publish().awaitSingle()

}
