package io.github.consullock.annotation;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.function.Supplier;

import org.aopalliance.aop.Advice;

import org.springframework.aop.Pointcut;
import org.springframework.aop.config.AopConfigUtils;
import org.springframework.aop.framework.AopInfrastructureBean;
import org.springframework.aop.framework.ProxyConfig;
import org.springframework.aop.support.AbstractPointcutAdvisor;
import org.springframework.aop.support.StaticMethodMatcherPointcut;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.core.Ordered;
import org.springframework.util.ClassUtils;

/**
 * Puts the lock around annotated methods: outside of transactions and of aspects without
 * an order, inside of method security. To be registered as a bean of the role
 * {@code ROLE_INFRASTRUCTURE}, together with a {@link DistributedLockPostProcessor} and
 * {@link DistributedLockProxyRegistrar}.
 * <p>
 * Registries are looked up at the first call that needs one.
 *
 * @since 0.1.0
 */
@SuppressWarnings("serial") // never serialized
public final class DistributedLockAdvisor extends AbstractPointcutAdvisor implements AopInfrastructureBean {

	/**
	 * The order of the lock among advisors: just before those without an order of their
	 * own, as transactions are by default.
	 */
	public static final int ORDER = Ordered.LOWEST_PRECEDENCE - 1;

	private final transient ConfigurableListableBeanFactory beanFactory;

	private final transient DistributedLockSpecs specs;

	private final transient LockRegistries registries;

	private final transient Pointcut pointcut;

	private final transient Advice advice;

	/**
	 * Creates an advisor whose locks, where acquired within a transaction, are released
	 * after it.
	 * @param beanFactory where registries and the beans that keys name are found
	 */
	public DistributedLockAdvisor(ConfigurableListableBeanFactory beanFactory) {
		this(beanFactory, () -> ActiveTransactionPolicy.RELEASE_AFTER_COMPLETION);
	}

	/**
	 * Creates the advisor.
	 * @param beanFactory where registries and the beans that keys name are found
	 * @param ifActive what becomes of a lock that is acquired within a transaction; asked
	 * when one is
	 */
	public DistributedLockAdvisor(ConfigurableListableBeanFactory beanFactory,
			Supplier<ActiveTransactionPolicy> ifActive) {
		this.beanFactory = beanFactory;
		this.specs = new DistributedLockSpecs(beanFactory,
				new ActiveTransactions(beanFactory.getBeanClassLoader(), ifActive));
		this.registries = new LockRegistries(beanFactory);
		this.pointcut = new AnnotatedMethods();
		this.advice = new DistributedLockInterceptor(this.specs, this.registries);
		setOrder(ORDER);
	}

	@Override
	public Pointcut getPointcut() {
		return this.pointcut;
	}

	@Override
	public Advice getAdvice() {
		return this.advice;
	}

	ConfigurableListableBeanFactory beanFactory() {
		return this.beanFactory;
	}

	DistributedLockSpecs specs() {
		return this.specs;
	}

	LockRegistries registries() {
		return this.registries;
	}

	/**
	 * Whether a bean of the class can have a proxy. Told here in clearer words than those
	 * of the proxy's generator, which is therefore not asked to.
	 */
	boolean isProxyable(Class<?> beanClass) {
		String creator = AopConfigUtils.AUTO_PROXY_CREATOR_BEAN_NAME;
		boolean subclass = this.beanFactory.containsBean(creator)
				&& this.beanFactory.getBean(creator, ProxyConfig.class).isProxyTargetClass();
		return ProxyLimits.isProxyable(beanClass, subclass);
	}

	private final class AnnotatedMethods extends StaticMethodMatcherPointcut {

		AnnotatedMethods() {
			setClassFilter((type) -> specs().isAnnotated(type) && isProxyable(type));
		}

		@Override
		public boolean matches(Method method, Class<?> targetClass) {
			if (Modifier.isStatic(method.getModifiers()) || Modifier.isPrivate(method.getModifiers())) {
				return false;
			}
			Class<?> beanClass = ClassUtils.getUserClass(targetClass);
			Method specific = DistributedLockAnnotations.specificMethod(method, beanClass);
			return DistributedLockAnnotations.find(specific, beanClass) != null;
		}

	}

}
