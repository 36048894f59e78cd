package io.github.consullock.examples;

import org.springframework.boot.autoconfigure.SpringBootApplication;

/**
 * An application as a user of the starter has it.
 */
@SpringBootApplication
class OrdersApplication {

}
