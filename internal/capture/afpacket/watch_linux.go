package afpacket

import (
	"context"
	"errors"
	"fmt"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Watch implements capture.Platform: the kernel tells of every change to links
// and addresses over rtnetlink(7), and nothing is polled.
func (Platform) Watch(ctx context.Context) (<-chan struct{}, error) {
	group := func(n int) uint32 { return 1 << (n - 1) }
	conn, err := netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{
		Groups: group(unix.RTNLGRP_LINK) | group(unix.RTNLGRP_IPV4_IFADDR) | group(unix.RTNLGRP_IPV6_IFADDR),
	})
	if err != nil {
		return nil, fmt.Errorf("watch interfaces: %w", err)
	}
	changes := make(chan struct{}, 1)
	go func() {
		defer close(changes)
		defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
		for {
			_, err := conn.Receive()
			// A queue that overflowed has lost messages, and that is a hint, too.
			if err != nil && !errors.Is(err, unix.ENOBUFS) {
				_ = conn.Close()
				return
			}
			select {
			case changes <- struct{}{}:
			default: // one hint is waiting already
			}
		}
	}()
	return changes, nil
}
