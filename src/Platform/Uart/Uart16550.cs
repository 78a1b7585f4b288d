using FastXen.Events;
using FastXen.Platform.Ports;

namespace FastXen.Platform.Uart;

/// <summary>
/// A 16550A: receive and transmit FIFOs of 16 bytes, loopback, scratch register. The line has no speed: what the guest transmits
/// goes out at once as long as the backend keeps up, then the transmitter stays busy. The peer honours RTS: input waits in a
/// bounded queue until the guest sets RTS, and the receive FIFO is the front of that queue, so that nothing is lost by clearing it.
/// </summary>
public sealed partial class Uart16550 : IPortDevice, ICharacterInput, IDisposable
{
    private readonly Lock gate = new();
    private readonly InterruptLine line;
    private readonly ushort basePort;
    private readonly Transmitter transmitter;
    private readonly ByteQueue input = new(InputCapacity);
    private readonly ByteQueue loop = new(FifoSize);

    private byte interruptEnable;
    private byte lineControl;
    private byte modemControl;
    private byte scratch;
    private byte divisorLow;
    private byte divisorHigh;
    private byte modemDeltas;
    private bool fifoEnabled;
    private int trigger;
    private bool overrun;
    private bool transmitEmptyPending;
    private bool lineLevel;

    private const int FifoSize = 16;
    private const int InputCapacity = 64 << 10;

    /// <summary>
    /// Makes a UART at 8 ports from <paramref name="basePort"/>. With <paramref name="synchronous"/> output goes to the backend on
    /// the vCPU's thread (a deterministic machine), else on a device thread; what it throws there is handed to <paramref name="failed"/>.
    /// </summary>
    public Uart16550(ushort basePort, InterruptLine line, ICharacterBackend backend, Action<Exception> failed, bool synchronous = false)
    {
        this.basePort = basePort;
        this.line = line;
        transmitter = new Transmitter(backend, synchronous, TransmitterDrained, failed);
        Reset();
        backend.Connect(this);
    }

    /// <summary>Number of ports.</summary>
    public const int PortCount = 8;

    /// <summary>Returns to the state after power-on. Input that waits is kept.</summary>
    public void Reset()
    {
        lock (gate)
        {
            interruptEnable = 0;
            lineControl = 0;
            modemControl = 0;
            scratch = 0;
            divisorLow = 1;
            divisorHigh = 0;
            modemDeltas = 0;
            fifoEnabled = false;
            trigger = 1;
            overrun = false;
            transmitEmptyPending = false;
            loop.Clear();
            Update();
        }
    }

    /// <inheritdoc/>
    public int Offer(ReadOnlySpan<byte> bytes)
    {
        lock (gate)
        {
            int taken = input.Enqueue(bytes);
            Update();
            return taken;
        }
    }

    /// <summary>Waits until the backend has everything that the guest wrote, or the backend is stuck.</summary>
    public void Flush() => transmitter.Flush();

    /// <summary>Sends what is left.</summary>
    public void Dispose() => transmitter.Dispose();

    private void TransmitterDrained()
    {
        lock (gate)
        {
            transmitEmptyPending = true;
            Update();
        }
    }

    private bool Loopback => (modemControl & ModemControl.Loop) != 0;

    private bool DivisorAccess => (lineControl & 0x80) != 0;

    private int Depth => fifoEnabled ? FifoSize : 1;

    private bool Ready => (modemControl & ModemControl.Rts) != 0;

    // Bytes in the receive FIFO.
    private int Received => Loopback ? loop.Count : Ready ? Math.Min(input.Count, Depth) : 0;

    // What the guest reads as the reason of the interrupt, by priority; also decides the wire.
    private byte PendingInterrupt()
    {
        if ((interruptEnable & InterruptEnable.LineStatus) != 0 && overrun)
            return InterruptId.LineStatus;
        if ((interruptEnable & InterruptEnable.Received) != 0 && Received > 0)
            return Received >= trigger ? InterruptId.Received : InterruptId.Timeout;
        if ((interruptEnable & InterruptEnable.TransmitEmpty) != 0 && transmitEmptyPending)
            return InterruptId.TransmitEmpty;
        if ((interruptEnable & InterruptEnable.ModemStatus) != 0 && modemDeltas != 0)
            return InterruptId.ModemStatus;
        return InterruptId.None;
    }

    private void Update()
    {
        bool level = PendingInterrupt() != InterruptId.None;
        if (level == lineLevel)
            return;
        lineLevel = level;
        line.Set(level);
    }
}
