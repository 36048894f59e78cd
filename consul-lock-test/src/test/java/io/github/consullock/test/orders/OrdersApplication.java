package io.github.consullock.test.orders;

import org.springframework.boot.autoconfigure.SpringBootApplication;

/**
 * An application with locks, which registers in Consul.
 */
@SpringBootApplication
class OrdersApplication {

}
