// As much of the Internet's protocols as two kernels need to find that they reach each other: ARP, IPv4, ICMP echo, UDP.
#include "devices.h"
#include "xenstore.h"

#define ETHERNET 14
#define TYPE_ip 0x0800
#define TYPE_arp 0x0806
#define PROTOCOL_icmp 1
#define PROTOCOL_udp 17
#define ECHO_PORT 7
#define OUR_PORT 7777
#define NETWORK 0x0a4d0000              // 10.77.0.0/16: 10.77.0.(domain + 1)

static struct neighbour { u32 address; u8 mac[6]; struct link *link; } neighbours[32];
static int neighbour_count;
static u32 address;
static struct link *links[16];
static int link_count;
static volatile struct { u32 sequence; int is_back; } expected;
static u16 last_sequence;

static u32 get16(const u8 *at) { return (u32)at[0] << 8 | at[1]; }
static u32 get32(const u8 *at) { return get16(at) << 16 | get16(at + 2); }
static void put16(u8 *at, u32 value) { at[0] = (u8)(value >> 8), at[1] = (u8)value; }
static void put32(u8 *at, u32 value) { put16(at, value >> 16), put16(at + 2, value); }

u32 address_of_domain(int domain) { return NETWORK | (u32)(domain + 1); }
int has_link(void) { return link_count != 0; }

void add_link(struct link *link) {
    if (link_count < COUNT(links)) links[link_count++] = link;
}

void remove_link(struct link *link) {
    for (int k = 0; k < link_count; k++)
        if (links[k] == link) links[k--] = links[--link_count];
    for (int k = 0; k < neighbour_count; k++)
        if (neighbours[k].link == link) neighbours[k--] = neighbours[--neighbour_count];
}

static u32 sum(const u8 *at, u32 length, u32 total) {
    for (; length > 1; at += 2, length -= 2) total += get16(at);
    return length ? total + (u32)(*at << 8) : total;
}

static u32 checksum(u32 total) {
    while (total >> 16) total = (total & 0xffff) + (total >> 16);
    return ~total & 0xffff;
}

static void learn(struct link *link, u32 from, const u8 *mac) {
    int k = 0;
    while (k < neighbour_count && neighbours[k].address != from) k++;
    if (k == COUNT(neighbours)) k = (int)(from % COUNT(neighbours));
    else if (k == neighbour_count) neighbour_count++;
    neighbours[k].address = from;
    neighbours[k].link = link;
    memcpy(neighbours[k].mac, mac, 6);
}

static const struct neighbour *neighbour_at(u32 to) {
    for (int k = 0; k < neighbour_count; k++)
        if (neighbours[k].address == to) return &neighbours[k];
    return 0;
}

static const u8 everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static void ethernet(u8 *frame, struct link *link, const u8 *to, u32 type) {
    memcpy(frame, to, 6);
    memcpy(frame + 6, link->mac, 6);
    put16(frame + 12, type);
}

static void send_arp(struct link *link, int operation, const u8 *mac, u32 to) {
    u8 frame[60];
    memset(frame, 0, sizeof(frame));
    ethernet(frame, link, mac, TYPE_arp);
    u8 *arp = frame + ETHERNET;
    put16(arp, 1), put16(arp + 2, TYPE_ip), arp[4] = 6, arp[5] = 4, put16(arp + 6, (u32)operation);
    memcpy(arp + 8, link->mac, 6);
    put32(arp + 14, address);
    if (operation == 2) memcpy(arp + 18, mac, 6);
    put32(arp + 24, to);
    link->send(link, frame, sizeof(frame));
}

static int send_ip(u32 to, int protocol, u8 *frame, u32 length) {
    const struct neighbour *neighbour = neighbour_at(to);
    if (!neighbour) return 0;
    struct link *link = neighbour->link;
    ethernet(frame, link, neighbour->mac, TYPE_ip);
    u8 *ip = frame + ETHERNET;
    memset(ip, 0, 20);
    ip[0] = 0x45, ip[8] = 64, ip[9] = (u8)protocol;
    put16(ip + 2, 20 + length);
    put32(ip + 12, address), put32(ip + 16, to);
    put16(ip + 10, checksum(sum(ip, 20, 0)));
    u32 size = ETHERNET + 20 + length;
    for (; size < 60; size++) frame[size] = 0;
    return link->send(link, frame, size);
}

static u32 pseudo(u32 from, u32 to, int protocol, u32 length) {
    return (from >> 16) + (from & 0xffff) + (to >> 16) + (to & 0xffff) + (u32)protocol + length;
}

static void got_icmp(u32 from, const u8 *icmp, u32 length) {
    static u8 frame[2048];
    if (length < 8 || checksum(sum(icmp, length, 0)) != 0) return;
    if (icmp[0] == 8) {
        u8 *reply = frame + ETHERNET + 20;
        memcpy(reply, icmp, length);
        reply[0] = 0;
        put16(reply + 2, 0);
        put16(reply + 2, checksum(sum(reply, length, 0)));
        send_ip(from, PROTOCOL_icmp, frame, length);
    } else if (icmp[0] == 0 && get16(icmp + 6) == expected.sequence) expected.is_back = 1;
}

static int send_udp(u32 to, u32 from_port, u32 to_port, const u8 *data, u32 length) {
    static u8 frame[2048];
    u8 *udp = frame + ETHERNET + 20;
    put16(udp, from_port), put16(udp + 2, to_port), put16(udp + 4, 8 + length), put16(udp + 6, 0);
    memcpy(udp + 8, data, length);
    u32 check = checksum(sum(udp, 8 + length, pseudo(address, to, PROTOCOL_udp, 8 + length)));
    put16(udp + 6, check ? check : 0xffff);
    return send_ip(to, PROTOCOL_udp, frame, 8 + length);
}

static void got_udp(u32 from, const u8 *udp, u32 length) {
    if (length < 8 || get16(udp + 4) != length) return;
    if (get16(udp + 6) && checksum(sum(udp, length, pseudo(from, address, PROTOCOL_udp, length))) != 0) return;
    if (get16(udp + 2) == ECHO_PORT) send_udp(from, ECHO_PORT, get16(udp), udp + 8, length - 8);
    else if (get16(udp + 2) == OUR_PORT && get16(udp) == ECHO_PORT) expected.is_back = 1;
}

static int same_mac(const u8 *a, const u8 *b) { return memcmp(a, b, 6) == 0; }

// A switch, for those that we serve: to the link behind which the receiver is, or to all others.
static void forward(struct link *from, const u8 *frame, u32 length) {
    struct link *only = 0;
    for (int k = 0; k < neighbour_count; k++)
        if (same_mac(neighbours[k].mac, frame)) only = neighbours[k].link;
    for (int k = 0; k < link_count; k++)
        if (links[k] != from && links[k]->is_connected && (from->is_served || links[k]->is_served) && (!only || only == links[k]))
            links[k]->send(links[k], frame, length);
}

void frame_received(struct link *link, const u8 *frame, u32 length) {
    if (length < ETHERNET + 20) return;
    if (link_count > 1 && !same_mac(frame, link->mac)) forward(link, frame, length);
    const u8 *body = frame + ETHERNET;
    u32 type = get16(frame + 12), room = length - ETHERNET;
    if (type == TYPE_arp && room >= 28) {
        learn(link, get32(body + 14), body + 8);
        if (get16(body + 6) == 1 && get32(body + 24) == address) send_arp(link, 2, body + 8, get32(body + 14));
    } else if (type == TYPE_ip && body[0] == 0x45) {
        u32 total = get16(body + 2);
        if (total < 20 || total > room || get32(body + 16) != address || checksum(sum(body, 20, 0)) != 0) return;
        learn(link, get32(body + 12), frame + 6);
        if (body[9] == PROTOCOL_icmp) got_icmp(get32(body + 12), body + 20, total - 20);
        else if (body[9] == PROTOCOL_udp) got_udp(get32(body + 12), body + 20, total - 20);
    }
}

static int is_back(void *argument) { (void)argument; return expected.is_back; }
static int is_known(void *argument) { return neighbour_at(*(u32 *)argument) != 0; }

static int resolve(u32 to, u64 until) {
    while (!neighbour_at(to)) {
        for (int k = 0; k < link_count; k++)
            if (links[k]->is_connected) send_arp(links[k], 1, everybody, to);
        u64 again = now() + 200 * MILLISECOND;
        if (!wait_until(is_known, &to, again < until ? again : until) && now() >= until) return 0;
    }
    return 1;
}

s64 ping(u32 to, u32 bytes, u64 timeout) {
    static u8 frame[2048];
    u64 until = now() + timeout;
    if (!link_count || bytes > 1400 || !resolve(to, until)) return -1;
    u8 *icmp = frame + ETHERNET + 20;
    icmp[0] = 8, icmp[1] = 0;
    put16(icmp + 2, 0), put16(icmp + 4, 0x5846), put16(icmp + 6, ++last_sequence);
    for (u32 k = 0; k < bytes; k++) icmp[8 + k] = (u8)k;
    put16(icmp + 2, checksum(sum(icmp, 8 + bytes, 0)));
    expected.sequence = last_sequence;
    expected.is_back = 0;
    u64 sent = now();
    if (!send_ip(to, PROTOCOL_icmp, frame, 8 + bytes)) return -1;
    return wait_until(is_back, 0, until) ? (s64)(now() - sent) : -1;
}

s64 udp_echo(u32 to, const char *text, u64 timeout) {
    u64 until = now() + timeout;
    if (!link_count || !resolve(to, until)) return -1;
    expected.is_back = 0;
    u64 sent = now();
    if (!send_udp(to, OUR_PORT, ECHO_PORT, (const u8 *)text, (u32)strlen(text))) return -1;
    return wait_until(is_back, 0, until) ? (s64)(now() - sent) : -1;
}

void internet_start(void) {
    // ADDRESS=a.b.c.d on the command line, or by the domain's number.
    char value[32];
    address = address_of_domain(domain_id());
    if (!word_value("address", value, sizeof(value))) return;
    address = 0;
    for (const char *at = value; *at; at++)
        if (at == value || at[-1] == '.') address = address << 8 | (u32)to_number(at);
}
