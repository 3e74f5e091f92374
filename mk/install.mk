# install.mk - install and uninstall below $(DESTDIR)$(PREFIX), configuration below $(SYSCONFDIR).

SBINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man
DATADIR ?= $(PREFIX)/share/sluice
UNITDIR ?= $(PREFIX)/lib/systemd/system
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
D = $(DESTDIR)
INSTALL ?= install
UNITS := $(notdir $(wildcard conf/systemd/*.service conf/systemd/*.socket))
PAGES_5 := $(wildcard docs/*.5)
PAGES_8 := $(wildcard docs/*.8)

# In the source, logs and the pid file lie below the prefix, which is what `make run` wants.
INSTALLED_PATHS := s|logs/sluice\.pid|/run/sluice.pid|; s|\([[:space:]]\)logs/|\1$(LOCALSTATEDIR)/log/sluice/|

# All but the paths after ReadWritePaths is read-only for the service, and the logs lie below the prefix.
INSTALLED_UNIT := s|/usr/sbin/sluice|$(SBINDIR)/sluice|g; s|/etc/sluice|$(SYSCONFDIR)/sluice|g; \
	s|^ReadWritePaths=.*|& -$(LOCALSTATEDIR)/log/sluice|

# A configuration that is already there stays; the new one is put beside it as *.new.
install: all
	$(INSTALL) -d '$D$(SBINDIR)' '$D$(SYSCONFDIR)/sluice' '$D$(DATADIR)/html' '$D$(DATADIR)/examples' '$D$(MANDIR)/man5' '$D$(MANDIR)/man8' \
		'$D$(UNITDIR)' '$D$(COMPLETIONDIR)' '$D$(LOCALSTATEDIR)/log/sluice'
	$(INSTALL) -m 755 $(O)/sluice '$D$(SBINDIR)/sluice'
	for f in conf/*.conf conf/mime.types; do \
		to='$D$(SYSCONFDIR)/sluice/'$${f##*/}; \
		sed '$(INSTALLED_PATHS)' $$f >$(O)/installed.conf || exit 1; \
		if [ -e "$$to" ] && ! cmp -s $(O)/installed.conf "$$to"; then to=$$to.new; fi; \
		$(INSTALL) -m 644 $(O)/installed.conf "$$to" || exit 1; \
	done
	rm -f $(O)/installed.conf
	$(INSTALL) -m 644 conf/html/* '$D$(DATADIR)/html/'
	$(INSTALL) -m 644 conf/examples/* '$D$(DATADIR)/examples/'
	$(INSTALL) -m 644 $(PAGES_5) '$D$(MANDIR)/man5/'
	$(INSTALL) -m 644 $(PAGES_8) '$D$(MANDIR)/man8/'
	$(INSTALL) -m 644 completions/sluice.bash '$D$(COMPLETIONDIR)/sluice'
	for f in $(UNITS); do \
		sed '$(INSTALLED_UNIT)' conf/systemd/$$f >'$D$(UNITDIR)/'$$f && chmod 644 '$D$(UNITDIR)/'$$f || exit 1; \
	done

# Leaves the logs, and what has been edited in the configuration.
uninstall:
	rm -f '$D$(SBINDIR)/sluice' '$D$(COMPLETIONDIR)/sluice' $(UNITS:%='$D$(UNITDIR)/%') \
		$(PAGES_5:docs/%='$D$(MANDIR)/man5/%') $(PAGES_8:docs/%='$D$(MANDIR)/man8/%')
	rm -rf '$D$(DATADIR)'
	for f in conf/*.conf conf/mime.types; do \
		to='$D$(SYSCONFDIR)/sluice/'$${f##*/}; \
		rm -f "$$to.new"; \
		if sed '$(INSTALLED_PATHS)' $$f | cmp -s - "$$to"; then rm -f "$$to"; fi; \
	done
	for d in '$D$(SYSCONFDIR)/sluice' '$D$(LOCALSTATEDIR)/log/sluice'; do \
		[ ! -d "$$d" ] || rmdir "$$d" 2>/dev/null || echo "kept: $$d"; \
	done

# Installed, found complete, and away again.
lint-install: $(O)/sluice
	$(call say,LINT,install and uninstall)
	$(Q)tests/lint/install.sh $(O)/sluice

.PHONY: install uninstall lint-install
