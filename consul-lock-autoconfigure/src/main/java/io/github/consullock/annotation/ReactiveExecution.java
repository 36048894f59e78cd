package io.github.consullock.annotation;

import org.springframework.core.ReactiveAdapter;

/**
 * Runs a body whose work is done when the publisher that it returns has ended, or is no
 * longer subscribed to. The caller gets another publisher at once, each subscription of
 * which locks anew. Needs Reactor.
 */
final class ReactiveExecution implements LockedExecution {

	private final ReactiveAdapter adapter;

	ReactiveExecution(ReactiveAdapter adapter) {
		this.adapter = adapter;
	}

	@Override
	public Object execute(LockedCall call) {
		LockedCall later = call.later();
		return this.adapter
			.fromPublisher(this.adapter.isMultiValue() ? ReactiveCall.flux(later) : ReactiveCall.mono(later));
	}

}
