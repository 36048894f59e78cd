package io.github.consullock.webflux;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import org.springframework.stereotype.Component;

/**
 * The work of all requests, by the end of its path.
 */
@Component
public class WorkList {

	private final Map<String, Work> works = new ConcurrentHashMap<>();

	/**
	 * The work of a request, which is there before it.
	 * @param key what it is locked by
	 * @param name its name
	 * @return the work
	 */
	public Work get(String key, String name) {
		return this.works.computeIfAbsent(key + "/" + name, (path) -> new Work());
	}

}
