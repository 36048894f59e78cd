package io.github.consullock.testserver;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class AptMirrorsTests {

	@Test
	void takesTheMainArchiveOfDebianAndNoOther() {
		assertThat(AptMirrors.known("""
				Other|stable|main|https://other.example/apt/
				Debian|stable|contrib|http://contrib.example/debian/
				Debian|stable|main|http://mirror.example/debian/
				Debian|stable|main|http://mirror.example/debian/
				Debian|stable-updates|main|http://updates.example/debian/
				Debian-Security|stable-security|main|http://security.example/debian-security/
				Debian|stable|main|cdrom://[Debian 12]/
				Debian|testing|main|mirror+file:/etc/apt/mirrors/debian.list/
				""")).containsExactly("http://mirror.example/debian/", "mirror+file:/etc/apt/mirrors/debian.list/");
	}

	@Test
	void takesEverySourceThatMayBeDebianWhereListsWereNeverFetched() {
		assertThat(AptMirrors.possible("""
				'http://mirror.example/debian/dists/bookworm/InRelease' mirror.example_debian_dists_bookworm_InRelease 0
				'http://mirror.example/debian/dists/bookworm-updates/InRelease' x 0
				'http://security.example/debian-security/dists/bookworm-security/InRelease' x 0
				'https://other.example/apt/dists/stable/InRelease' x 0
				'http://mirror.example/debian/dists/bookworm/main/binary-amd64/Packages.xz' x 0
				'http://mirror.example/debian/dists/trixie/InRelease' x 0
				""")).containsExactly("http://mirror.example/debian/", "https://other.example/apt/");
	}

	@Test
	void findsNoneWhereThereIsNone() {
		assertThat(AptMirrors.known("")).isEmpty();
		assertThat(AptMirrors.possible("")).isEmpty();
	}

}
