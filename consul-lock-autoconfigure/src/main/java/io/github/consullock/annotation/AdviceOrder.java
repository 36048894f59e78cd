package io.github.consullock.annotation;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

import org.springframework.aop.Advisor;
import org.springframework.aop.framework.Advised;

/**
 * Puts the advisors of one proxy into the order that locking needs: Spring Retry,
 * security and validation before the lock, transactions after it. None is a matter of
 * course: Spring Retry comes last, method validation is put last, inside of a
 * transaction, when a proxy is there already, and the order of transactions can be
 * configured.
 */
final class AdviceOrder {

	/** Of optional libraries, so by name. */
	private static final List<String> BEFORE = List.of(
			"org.springframework.validation.beanvalidation.MethodValidationInterceptor",
			"org.springframework.security.authorization.method.AuthorizationAdvisor",
			"org.springframework.retry.annotation.AnnotationAwareRetryOperationsInterceptor");

	private static final List<String> AFTER = List
		.of("org.springframework.transaction.interceptor.TransactionAspectSupport");

	private AdviceOrder() {
	}

	/**
	 * Moves what stands on the wrong side of the lock, and nothing else.
	 * @param proxy the proxy
	 * @param lock the advisor of the lock, one of the proxy's
	 * @return {@code false} if something had to be moved and the proxy is frozen
	 */
	static boolean arrange(Advised proxy, Advisor lock) {
		List<Advisor> present = List.of(proxy.getAdvisors());
		List<Advisor> wanted = arranged(present, lock);
		if (wanted.equals(present)) {
			return true;
		}
		if (proxy.isFrozen()) {
			return false;
		}
		for (int i = 0; i < wanted.size(); i++) {
			Advisor advisor = wanted.get(i);
			if (proxy.getAdvisors()[i] != advisor) {
				proxy.removeAdvisor(proxy.indexOf(advisor));
				proxy.addAdvisor(i, advisor);
			}
		}
		return true;
	}

	static List<Advisor> arranged(List<Advisor> present, Advisor lock) {
		List<Advisor> wanted = new ArrayList<>(present);
		wanted.remove(lock);
		int transaction = indexOf(wanted, (advisor) -> isOneOf(advisor, AFTER));
		int position = present.indexOf(lock);
		if (transaction >= 0 && transaction < position) {
			position = transaction;
		}
		wanted.add(position, lock);
		List<Advisor> late = wanted.subList(position + 1, wanted.size())
			.stream()
			.filter((advisor) -> isOneOf(advisor, BEFORE))
			.toList();
		wanted.removeAll(late);
		wanted.addAll(position, late);
		return wanted;
	}

	private static int indexOf(List<Advisor> advisors, Predicate<Advisor> condition) {
		for (int i = 0; i < advisors.size(); i++) {
			if (condition.test(advisors.get(i))) {
				return i;
			}
		}
		return -1;
	}

	private static boolean isOneOf(Advisor advisor, List<String> names) {
		return names.stream()
			.anyMatch((name) -> ReturnTypes.isNamed(advisor.getClass(), name)
					|| ReturnTypes.isNamed(advisor.getAdvice().getClass(), name));
	}

}
