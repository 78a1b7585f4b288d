using System.Buffers.Binary;
using System.Net.Sockets;

namespace FastXen.Platform.Net.Nat;

/// <summary>Names a TCP connection as the guest sees it.</summary>
internal readonly record struct TcpKey(int GuestPort, Ipv4Address Remote, int RemotePort);

/// <summary>
/// One TCP connection of the guest, spliced to a host socket: a small endpoint toward the guest (RFC 9293) with handshake, windows,
/// retransmission and close in both directions. The link to the guest keeps order and rarely loses, so there is no congestion window,
/// and segments out of order are dropped to be sent again. Everything runs under the NAT's lock, but for the waits of the two tasks that
/// move bytes from and to the socket.
/// </summary>
internal sealed partial class TcpConnection
{
    private const int BufferBytes = 128 << 10;
    private const int OwnMss = 1460;
    private const int OwnScale = 3;
    private const int DuplicatesForRetransmission = 3;
    private const int MaxRetries = 8;
    private static readonly TimeSpan FirstTimeout = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(5);

    private enum Phase
    {
        /// <summary>The guest's SYN is there; the host socket connects.</summary>
        Connecting,
        /// <summary>Our SYN, or SYN and ACK, waits for the guest's ACK.</summary>
        Handshake,
        /// <summary>Data and FINs go both ways.</summary>
        Open,
        /// <summary>Both sides are closed; only a lost ACK may have to be sent again.</summary>
        Finished,
        /// <summary>Gone.</summary>
        Dead,
    }

    private readonly TcpNat owner;
    private readonly Socket socket;
    private readonly bool fromGuest;
    private readonly ByteRing toGuest = new(BufferBytes);
    private readonly ByteRing toHost = new(BufferBytes);

    private Phase phase;
    private uint unacknowledged;
    private uint next;
    private uint highest;
    private uint guestWindow;
    private uint expected;
    private uint advertisedEnd;
    private int mss = OwnMss;
    private int guestScale;
    private int ownScale;
    private int duplicates;
    private int retries;
    private bool hostClosed;
    private bool finAcknowledged;
    private bool guestClosed;

    private TcpConnection(TcpNat owner, TcpKey key, Socket socket, bool fromGuest)
    {
        this.owner = owner;
        this.socket = socket;
        this.fromGuest = fromGuest;
        Key = key;
        unacknowledged = next = highest = owner.NewSequence();
    }

    public TcpKey Key { get; }

    /// <summary>When <see cref="OnTimer"/> wants to be called, in the clock's milliseconds; <see cref="long.MaxValue"/> for never.</summary>
    public long Deadline { get; private set; } = long.MaxValue;

    /// <summary>A new SYN of the guest may take the place of this connection.</summary>
    public bool IsOver => phase is Phase.Finished or Phase.Dead;

    /// <summary>The guest calls: <paramref name="socket"/> is about to be connected.</summary>
    public static TcpConnection Accept(TcpNat owner, TcpKey key, Socket socket, in TcpSegment syn)
    {
        TcpConnection connection = new(owner, key, socket, true) { phase = Phase.Connecting, expected = syn.Sequence + 1 };
        connection.TakeOptions(syn);
        connection.SetDeadline(ConnectLimit);
        return connection;
    }

    /// <summary>A peer of the host calls the guest by a connected <paramref name="socket"/>.</summary>
    public static TcpConnection Call(TcpNat owner, TcpKey key, Socket socket)
    {
        TcpConnection connection = new(owner, key, socket, false) { phase = Phase.Handshake, ownScale = OwnScale };
        connection.SendSyn();
        return connection;
    }

    /// <summary>The host socket is connected: the guest's call is answered.</summary>
    public void OnConnected()
    {
        if (phase != Phase.Connecting)
            return;
        phase = Phase.Handshake;
        SendSyn();
    }

    /// <summary>Breaks the connection: the guest gets a reset.</summary>
    public void Abort()
    {
        if (phase == Phase.Dead)
            return;
        if (phase != Phase.Finished)
        {
            bool answersSyn = phase == Phase.Connecting;
            Transmit(answersSyn ? unacknowledged : next, TcpFlags.Rst | TcpFlags.Ack, 0, 0);
        }
        Close(reset: true);
    }

    /// <summary>Ends without a word to the guest.</summary>
    public void Close(bool reset)
    {
        if (phase == Phase.Dead)
            return;
        if (reset && phase != Phase.Finished)
            socket.LingerState = new LingerOption(true, 0);
        phase = Phase.Dead;
        Deadline = long.MaxValue;
        socket.Dispose();
        owner.Remove(this);
    }

    /// <summary>Handles a segment of the guest.</summary>
    public void OnSegment(in TcpSegment segment)
    {
        if (segment.Has(TcpFlags.Rst))
        {
            OnReset(segment);
            return;
        }
        if (phase == Phase.Connecting)
            return; // the SYN again: the answer comes when the host is connected
        if (phase == Phase.Handshake && !FinishHandshake(segment))
            return;
        if (segment.Has(TcpFlags.Syn))
        {
            // The guest's answer to our SYN, or a late copy. It carries no data that counts.
            Acknowledge();
            Output();
            return;
        }
        if (!segment.Has(TcpFlags.Ack))
            return;
        OnAcknowledgment(segment);
        OnData(segment);
        Output();
    }

    /// <summary>The time of <see cref="Deadline"/> has come.</summary>
    public void OnTimer()
    {
        Deadline = long.MaxValue;
        if (phase is Phase.Finished)
        {
            Close(reset: false);
            return;
        }
        if (phase == Phase.Connecting || ++retries > MaxRetries)
        {
            Abort();
            return;
        }
        if (phase == Phase.Handshake)
        {
            next = unacknowledged;
            SendSyn();
        }
        else
        {
            Retransmit();
        }
    }

    private void OnReset(in TcpSegment segment)
    {
        bool believable = phase == Phase.Handshake && !fromGuest
            ? segment.Has(TcpFlags.Ack) && segment.Acknowledgment == highest
            : segment.Sequence - expected <= BufferBytes;
        if (believable)
            Close(reset: true);
    }

    // True when the segment completes the handshake and may carry more.
    private bool FinishHandshake(in TcpSegment segment)
    {
        if (!segment.Has(TcpFlags.Ack))
        {
            if (fromGuest && segment.Has(TcpFlags.Syn))
                SendSyn();
            return false;
        }
        if (segment.Acknowledgment != unacknowledged + 1)
        {
            owner.SendReset(Key, segment);
            return false;
        }
        if (!fromGuest)
        {
            if (!segment.Has(TcpFlags.Syn))
                return false;
            expected = segment.Sequence + 1;
            TakeOptions(segment);
        }
        phase = Phase.Open;
        unacknowledged = next = highest = segment.Acknowledgment;
        guestWindow = segment.Has(TcpFlags.Syn) ? segment.Window : (uint)segment.Window << guestScale;
        retries = 0;
        Deadline = long.MaxValue;
        Pump();
        return true;
    }

    private void TakeOptions(in TcpSegment syn)
    {
        (int size, int? scale) = syn.SynOptions();
        mss = Math.Clamp(size, 64, OwnMss);
        guestScale = scale ?? 0;
        ownScale = scale is null ? 0 : OwnScale;
        guestWindow = syn.Window;
    }

    private void OnAcknowledgment(in TcpSegment segment)
    {
        uint acknowledgment = segment.Acknowledgment;
        uint window = (uint)segment.Window << guestScale;
        uint progress = acknowledgment - unacknowledged;
        if (progress > highest - unacknowledged)
            return; // old, or of what was never sent
        retries = 0;
        if (progress == 0)
        {
            bool duplicate = segment.Length == 0 && window == guestWindow && highest != unacknowledged;
            guestWindow = window;
            if (duplicate && ++duplicates == DuplicatesForRetransmission)
                Retransmit();
            return;
        }
        guestWindow = window;
        int data = (int)Math.Min(progress, (uint)toGuest.Count);
        toGuest.Skip(data);
        if (progress > data)
            finAcknowledged = true;
        unacknowledged = acknowledgment;
        if ((int)(next - unacknowledged) < 0)
            next = unacknowledged;
        duplicates = 0;
        Deadline = long.MaxValue;
        Pump();
        FinishIfClosed();
    }

    private void OnData(in TcpSegment segment)
    {
        if (segment.Length == 0)
        {
            // A keep-alive or an answer to one is before the window.
            if (segment.Sequence != expected)
                Acknowledge();
            return;
        }
        int old = (int)(expected - segment.Sequence);
        bool fin = segment.Has(TcpFlags.Fin);
        if (guestClosed || phase != Phase.Open || old < 0 || old > segment.Payload.Length)
        {
            if (phase is Phase.Open or Phase.Finished)
                Acknowledge();
            return;
        }
        ReadOnlySpan<byte> fresh = segment.Payload[old..];
        int taken = Math.Min(fresh.Length, toHost.Room);
        toHost.Append(fresh[..taken]);
        expected += (uint)taken;
        if (fin && taken == fresh.Length)
        {
            expected++;
            guestClosed = true;
        }
        Acknowledge();
        Pump();
        FinishIfClosed();
    }

    // Sends what the guest's window allows, then the FIN.
    private void Output()
    {
        if (phase != Phase.Open)
            return;
        while (true)
        {
            int sent = (int)(next - unacknowledged);
            int waiting = toGuest.Count - sent;
            int length = (int)Math.Min(Math.Min(waiting, mss), (long)guestWindow - sent);
            if (length <= 0)
                break;
            Transmit(next, length == waiting ? TcpFlags.Ack | TcpFlags.Psh : TcpFlags.Ack, sent, length);
            next += (uint)length;
        }
        if (hostClosed && next - unacknowledged == (uint)toGuest.Count && !finAcknowledged)
        {
            Transmit(next, TcpFlags.Ack | TcpFlags.Fin, 0, 0);
            next++;
        }
        if ((int)(next - highest) > 0)
            highest = next;
        bool outstanding = highest != unacknowledged || toGuest.Count > 0;
        if (outstanding && Deadline == long.MaxValue)
            SetDeadline(FirstTimeout * (1 << Math.Min(retries, 5)));
    }

    // Goes back to the first byte that the guest does not have. Into a closed window goes one byte, as a probe.
    private void Retransmit()
    {
        duplicates = 0;
        next = unacknowledged;
        if (guestWindow == 0 && toGuest.Count > 0)
        {
            Transmit(next, TcpFlags.Ack, 0, 1);
            if (highest == unacknowledged)
                highest++;
            next = highest;
            SetDeadline(FirstTimeout * 4);
            return;
        }
        Output();
    }

    private void SendSyn()
    {
        Transmit(unacknowledged, fromGuest ? TcpFlags.Syn | TcpFlags.Ack : TcpFlags.Syn, 0, 0);
        next = highest = unacknowledged + 1;
        SetDeadline(FirstTimeout * (1 << Math.Min(retries, 5)));
    }

    private void Acknowledge() => Transmit(next, TcpFlags.Ack, 0, 0);

    private void FinishIfClosed()
    {
        if (phase != Phase.Open || !finAcknowledged || !guestClosed || toHost.Count > 0)
            return;
        phase = Phase.Finished;
        socket.Dispose();
        SetDeadline(Linger);
    }

    private void SetDeadline(TimeSpan after)
    {
        Deadline = owner.Now + (long)after.TotalMilliseconds;
        owner.Schedule(Deadline);
    }

    private void Transmit(uint sequence, TcpFlags flags, int offset, int length)
    {
        bool syn = (flags & TcpFlags.Syn) != 0;
        int options = !syn ? 0 : ownScale > 0 ? 8 : 4;
        int header = TcpSegment.MinHeader + options;
        Span<byte> bytes = owner.Writer.Payload[..(header + length)];
        int window = Math.Min(toHost.Room >> (syn ? 0 : ownScale), ushort.MaxValue);
        advertisedEnd = expected + (uint)(window << (syn ? 0 : ownScale));
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)Key.RemotePort);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], (ushort)Key.GuestPort);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[4..], sequence);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[8..], (flags & TcpFlags.Ack) != 0 ? expected : 0);
        bytes[12] = (byte)(header / 4 << 4);
        bytes[13] = (byte)flags;
        BinaryPrimitives.WriteUInt16BigEndian(bytes[14..], (ushort)window);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[16..], 0);
        if (syn)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes[20..], 0x0204_0000 | OwnMss);
            if (ownScale > 0)
                BinaryPrimitives.WriteUInt32BigEndian(bytes[24..], 0x0103_0300 | OwnScale);
        }
        if (length > 0)
            toGuest.Peek(offset, bytes[header..]);
        owner.SendSegment(Key, header + length);
    }
}
