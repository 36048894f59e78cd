package io.github.consullock.test.orders;

import io.github.consullock.annotation.DistributedLock;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.stereotype.Service;

/**
 * Ships each order once at a time.
 */
@Service
class Shipping {

	private final ObjectProvider<Carrier> carrier;

	Shipping(ObjectProvider<Carrier> carrier) {
		this.carrier = carrier;
	}

	@DistributedLock(key = "orders/#{#order}", waitTime = "1m")
	void ship(long order) throws InterruptedException {
		this.carrier.getObject().book(order);
		this.carrier.getObject().confirm(order);
	}

}
