package io.github.consullock.autoconfigure;

import io.github.consullock.autoconfigure.ConditionalOnLocking.Locking;

import org.springframework.boot.autoconfigure.condition.ConditionMessage;
import org.springframework.boot.autoconfigure.condition.ConditionOutcome;
import org.springframework.boot.autoconfigure.condition.SpringBootCondition;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.core.annotation.MergedAnnotation;
import org.springframework.core.type.AnnotatedTypeMetadata;

/**
 * Reads the two properties as they are bound elsewhere, so that for any value of them
 * exactly one way of locking applies, or the start fails and names the property. A
 * comparison of texts would leave values over, such as {@code enabled=off}, with which
 * nothing would lock and nothing refuse to start.
 */
final class OnLockingCondition extends SpringBootCondition {

	@Override
	public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
		Locking locking = Locking.of(context.getEnvironment());
		MergedAnnotation<ConditionalOnLocking> annotation = metadata.getAnnotations().get(ConditionalOnLocking.class);
		boolean match = false;
		for (Locking wanted : annotation.getEnumArray(MergedAnnotation.VALUE, Locking.class)) {
			match |= wanted == locking;
		}
		return new ConditionOutcome(match, ConditionMessage.forCondition(ConditionalOnLocking.class)
			.because("consul.lock.enabled and consul.lock.mode come to " + locking));
	}

}
