// Package rawsock captures IPv4 packets on Windows without a driver: with a raw
// socket at each address of an interface that is told to receive all packets.
//
// What each step follows on learn.microsoft.com:
//
//   - the socket, AF_INET, SOCK_RAW, IPPROTO_IP: "TCP/IP Raw Sockets"
//   - binding it to an address, and SIO_RCVALL: "SIO_RCVALL Control Code"
//   - SO_RCVBUF: "SOL_SOCKET Socket Options"
//   - that received packets begin with their IPv4 header, in network order:
//     "TCP/IP Raw Sockets"
//
// It cannot see IPv6, ARP, and whatever else is not IPv4, nor link headers. A
// packet that finds the receive buffer full is lost, and Windows does not tell.
package rawsock
