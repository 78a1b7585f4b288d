using System.Text;
using FastXen.Events;
using FastXen.Platform.Uart;

namespace FastXen.Platform.Tests.Devices;

public sealed class UartTests : IDisposable
{
    private const ushort Base = 0x3f8;

    private sealed class Backend : ICharacterBackend
    {
        private readonly StringBuilder output = new();

        public ICharacterInput? Input { get; private set; }

        public ManualResetEventSlim Open { get; } = new(true);

        public string Output
        {
            get
            {
                lock (output)
                    return output.ToString();
            }
        }

        public void Write(ReadOnlySpan<byte> bytes)
        {
            Open.Wait();
            lock (output)
                output.Append(Encoding.Latin1.GetString(bytes));
        }

        public void Connect(ICharacterInput input) => Input = input;
    }

    private readonly Backend backend = new();
    private readonly RecordingLines lines = new();
    private readonly Uart16550 uart;

    public UartTests() => uart = new Uart16550(Base, new InterruptLine(lines, 4), backend, NoFailure, synchronous: true);

    public void Dispose() => uart.Dispose();

    private static void NoFailure(Exception e) => Assert.Fail(e.ToString());

    private byte In(int register) => (byte)uart.Read((ushort)(Base + register), 1);

    private void Out(int register, int value) => uart.Write((ushort)(Base + register), 1, (uint)value);

    private void Type(string text) => Assert.Equal(text.Length, backend.Input!.Offer(Encoding.Latin1.GetBytes(text)));

    [Fact]
    public void Looks_like_a_16550A_to_autoconfiguration()
    {
        Out(1, 0x0f);
        Assert.Equal(0x0f, In(1));
        Out(1, 0xff);
        Assert.Equal(0x0f, In(1));
        Out(1, 0);
        Out(4, 0x1a);
        Assert.Equal(0x90, In(6) & 0xf0);
        Out(4, 0);
        Out(2, 1);
        Assert.Equal(0xc1, In(2));
        Out(2, 0x21);
        Assert.Equal(0xc1, In(2));
        Out(3, 0xbf);
        Assert.NotEqual(0, In(2));
        Out(3, 0);
        Out(7, 0xa5);
        Assert.Equal(0xa5, In(7));
    }

    [Fact]
    public void Loopback_fifo_holds_sixteen_bytes_and_reports_the_overrun()
    {
        Out(2, 0x07);
        Out(4, 0x10);
        for (int i = 0; i < 256; i++)
            Out(0, i);
        Assert.Equal(0x63, In(5));
        Assert.Equal(0x61, In(5));
        List<int> received = [];
        while ((In(5) & 1) != 0)
            received.Add(In(0));
        Assert.Equal(Enumerable.Range(0, 16), received);
        Assert.Equal("", backend.Output);
    }

    [Fact]
    public void Divisor_latch_hides_data_and_interrupt_enable()
    {
        Out(1, 5);
        Out(3, 0x83);
        Out(0, 0x34);
        Out(1, 0x12);
        Assert.Equal((0x34, 0x12), (In(0), In(1)));
        Out(3, 0x03);
        Assert.Equal(5, In(1));
        Assert.Equal("", backend.Output);
    }

    [Fact]
    public void Transmit_interrupt_follows_enable_read_and_write()
    {
        Assert.False(lines[4]);
        Out(1, 2);
        Assert.True(lines[4]);
        Assert.Equal(0x02, In(2));
        Assert.False(lines[4]);
        Assert.Equal(0x01, In(2));
        Out(0, 'x');
        Assert.True(lines[4]);
        Assert.Equal(0x02, In(2));
        Out(1, 0);
        Out(1, 2);
        Assert.Equal(0x02, In(2));
        Out(0, 'y');
        Out(1, 0);
        Assert.False(lines[4]);
        Assert.Equal("xy", backend.Output);
    }

    [Fact]
    public void Interrupt_identification_goes_by_priority()
    {
        Out(4, 0x10);
        Out(2, 0);
        Out(1, 0x0f);
        In(6);
        Out(4, 0x12);
        Out(0, 1);
        Out(0, 2);
        Assert.Equal(0x06, In(2));
        In(5);
        Assert.Equal(0x04, In(2));
        Assert.Equal(1, In(0));
        Assert.Equal(0x02, In(2));
        Assert.Equal(0x00, In(2));
        Assert.True(lines[4]);
        Assert.Equal(0x01, In(6) & 0x0f);
        Assert.Equal(0x01, In(2));
        Assert.False(lines[4]);
    }

    [Fact]
    public void Input_below_the_trigger_is_a_timeout()
    {
        Out(4, 0x0b);
        Out(2, 0x81);
        Out(1, 1);
        Type("abc");
        Assert.True(lines[4]);
        Assert.Equal(0xcc, In(2));
        Type("defgh");
        Assert.Equal(0xc4, In(2));
        Assert.Equal((byte)'a', In(0));
        Assert.Equal(0xcc, In(2));
    }

    [Fact]
    public void Input_waits_for_rts_and_survives_a_fifo_reset()
    {
        Type("hello");
        Assert.Equal(0x60, In(5));
        Out(2, 0x07);
        Out(4, 0x03);
        Out(2, 0x07);
        string received = "";
        while ((In(5) & 1) != 0)
            received += (char)In(0);
        Assert.Equal("hello", received);
        Assert.Equal(0, In(0));
    }

    [Fact]
    public void Input_queue_is_bounded()
    {
        byte[] flood = new byte[1 << 20];
        int taken = backend.Input!.Offer(flood);
        Assert.InRange(taken, 4096, flood.Length - 1);
        Assert.Equal(0, backend.Input.Offer(flood));
        Out(4, 3);
        In(0);
        Assert.Equal(1, backend.Input.Offer(flood));
    }

    [Fact]
    public void A_device_thread_delivers_everything_in_order_and_a_stuck_backend_makes_the_transmitter_busy()
    {
        Backend slow = new();
        slow.Open.Reset();
        using Uart16550 device = new(Base, new InterruptLine(lines, 5), slow, NoFailure);
        device.Write(Base + 1, 1, 2);
        StringBuilder sent = new();
        Random random = new(1);
        while ((device.Read(Base + 5, 1) & 0x20) != 0)
        {
            char c = (char)random.Next(32, 127);
            sent.Append(c);
            device.Write(Base, 1, c);
        }
        Assert.InRange(sent.Length, 1024, 1 << 20);
        Assert.False(lines[5]);
        slow.Open.Set();
        device.Flush();
        Assert.Equal(sent.ToString(), slow.Output);
        Assert.True(lines[5]);
    }
}
