using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace FastXen.Traces.Nettrace;

/// <summary>What a trace says of itself.</summary>
/// <param name="Started">When it began, UTC.</param>
/// <param name="ProcessId">Whose trace it is.</param>
public sealed record TraceHead(DateTime Started, int ProcessId);

/// <summary>Receives an event.</summary>
public delegate void EventReceiver(in RecordedEvent recorded);

/// <summary>
/// Reads .nettrace files of version 4 (.NET 5 to 10): the "NetTrace" format of dotnet/diagnostics. Events come in the order of their time; no more
/// than one flush of the writer is held in memory. (Microsoft's TraceEvent library is not made for ahead-of-time compilation, and needs an index file beside the trace.)
/// </summary>
public sealed class NettraceReader
{
    private const byte NullReference = 1, BeginObject = 5, EndObject = 6;
    private const int LargestBlock = 1 << 28;

    /// <summary>An event that waits for those that are older.</summary>
    private readonly record struct Pending(long Time, int Order, EventShape Shape, long Thread, int Start, int Length);

    private readonly Stream stream;
    private readonly EventReceiver receiver;
    private readonly Dictionary<int, EventShape> shapes = [];
    private readonly Dictionary<long, uint> sequences = [];
    private readonly List<Pending> pending = [];
    private byte[] payloads = new byte[1 << 16];
    private int payloadBytes;
    private byte[] block = [];
    private long position;
    private long clockStart, clockFrequency = 1;

    private NettraceReader(Stream stream, EventReceiver receiver)
    {
        this.stream = stream;
        this.receiver = receiver;
    }

    /// <summary>What the trace says of itself.</summary>
    public TraceHead Head { get; private set; } = new(default, 0);

    /// <summary>Events that the writer dropped: it had more to write than was read.</summary>
    public long Lost { get; private set; }

    /// <summary>The file ends before the trace does: the process died.</summary>
    public bool Truncated { get; private set; }

    /// <summary>Reads a whole trace. Throws <see cref="TraceException"/> for what is no trace.</summary>
    public static NettraceReader Read(Stream stream, EventReceiver receiver)
    {
        NettraceReader reader = new(stream, receiver);
        try
        {
            reader.Read();
        }
        catch (EndOfStreamException)
        {
            reader.Truncated = true;
        }

        reader.Flush();
        return reader;
    }

    private void Read()
    {
        if (!Next(8).SequenceEqual("Nettrace"u8))
        {
            throw new TraceException("this is no .nettrace file");
        }

        if (!Next(Int()).SequenceEqual("!FastSerialization.1"u8))
            throw new TraceException("this .nettrace file has a format that FastXen does not read (it reads version 4, of .NET 5 and later)");
        for (; ; )
        {
            byte tag = Next(1)[0];
            if (tag == NullReference)
                return;
            Expect(tag, BeginObject);
            Expect(Next(1)[0], BeginObject);
            Expect(Next(1)[0], NullReference);
            int version = Int();
            int oldest = Int();
            string name = Encoding.ASCII.GetString(Next(Int()));
            Expect(Next(1)[0], EndObject);
            ReadObject(name, version, oldest);
            Expect(Next(1)[0], EndObject);
        }
    }

    private void ReadObject(string name, int version, int oldest)
    {
        if (name == "Trace")
        {
            if (oldest > 4)
                throw new TraceException($"this .nettrace file has version {version}; FastXen reads version 4");
            ReadHead();
            return;
        }

        int size = Int();
        Next((int)(-position & 3));
        ReadOnlySpan<byte> content = Next(size);
        switch (name)
        {
            case "EventBlock":
                ReadEvents(content, metadata: false);
                break;
            case "MetadataBlock":
                ReadEvents(content, metadata: true);
                break;
            case "SPBlock":
                ReadSequencePoint(content);
                break;
            default:
                break; // stacks, and what later versions add
        }
    }

    private void ReadHead()
    {
        BlockReader head = new(Next(48));
        short year = head.Short(), month = head.Short();
        head.Short(); // day of the week
        try
        {
            DateTime started = new(year, month, head.Short(), head.Short(), head.Short(), head.Short(), head.Short(), DateTimeKind.Utc);
            clockStart = head.Long();
            clockFrequency = Math.Max(1, head.Long());
            head.Int(); // size of a pointer
            Head = new TraceHead(started, head.Int());
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw new TraceException("the trace is damaged: it began at no time that there is", e);
        }
    }

    private void ReadEvents(ReadOnlySpan<byte> content, bool metadata)
    {
        BlockReader reader = new(content);
        short headerSize = reader.Short();
        bool compressed = (reader.Short() & 1) != 0;
        if (!compressed)
            throw new TraceException("this .nettrace file has events without compressed headers, which FastXen does not read");
        reader.Take(headerSize - 4);

        int metadataId = 0, size = 0;
        uint sequence = 0;
        long thread = 0, captureThread = 0, time = 0;
        while (!reader.AtEnd)
        {
            byte flags = reader.Byte();
            if ((flags & 1) != 0)
                metadataId = (int)reader.Variable();
            if ((flags & 2) != 0)
            {
                sequence += (uint)reader.Variable();
                captureThread = (long)reader.Variable();
                reader.Variable(); // processor
            }

            if (metadataId != 0)
                sequence++;

            if ((flags & 4) != 0)
                thread = (long)reader.Variable();
            if ((flags & 8) != 0)
                reader.Variable(); // stack
            time += (long)reader.Variable();
            if ((flags & 16) != 0)
                reader.Take(16); // activity
            if ((flags & 32) != 0)
                reader.Take(16); // related activity
            if ((flags & 128) != 0)
                size = (int)reader.Variable();
            ReadOnlySpan<byte> payload = reader.Take(size);
            if (metadata)
            {
                Define(payload);
                continue;
            }

            Count(captureThread, sequence);
            // A sorted event is younger than all that are before it in the file, and older than all that follow.
            Add(metadataId, time, thread, payload);
            if ((flags & 64) != 0)
                Flush();
        }
    }

    private void Define(ReadOnlySpan<byte> payload)
    {
        BlockReader reader = new(payload);
        int id = reader.Int();
        string provider = reader.Text();
        int eventId = reader.Int();
        string name = reader.Text();
        reader.Long(); // keywords
        reader.Int(); // version
        reader.Int(); // level
        int count = reader.Int();
        List<(string, FieldType)> fields = [];
        for (int i = 0; i < count; i++)
        {
            var type = (FieldType)reader.Int();
            if (type == FieldType.Object)
            {
                // Nested fields: the rest of this kind of event stays unread.
                fields.Clear();
                break;
            }

            fields.Add((reader.Text(), type));
        }

        shapes[id] = new EventShape(provider, eventId, name, fields);
    }

    private void Add(int metadataId, long time, long thread, ReadOnlySpan<byte> payload)
    {
        if (!shapes.TryGetValue(metadataId, out EventShape? shape))
            throw new TraceException("the trace is damaged: it does not describe an event");
        if (payloadBytes + payload.Length > payloads.Length)
            Array.Resize(ref payloads, checked(Math.Max(payloads.Length * 2, payloadBytes + payload.Length)));
        payload.CopyTo(payloads.AsSpan(payloadBytes));
        pending.Add(new Pending(time, pending.Count, shape, thread, payloadBytes, payload.Length));
        payloadBytes += payload.Length;
    }

    private void Flush()
    {
        Span<Pending> events = CollectionsMarshal.AsSpan(pending);
        events.Sort(static (a, b) => a.Time != b.Time ? a.Time.CompareTo(b.Time) : a.Order.CompareTo(b.Order));
        foreach (ref readonly Pending one in events)
            receiver(new RecordedEvent(one.Shape, Nanoseconds(one.Time), one.Thread, payloads.AsSpan(one.Start, one.Length)));
        pending.Clear();
        payloadBytes = 0;
    }

    private long Nanoseconds(long time) => (long)((Int128)(time - clockStart) * 1_000_000_000 / clockFrequency);

    // Each thread numbers its events, dropped ones too.
    private void Count(long thread, uint sequence)
    {
        if (sequences.TryGetValue(thread, out uint last) && sequence - last is > 1 and < 1u << 31)
            Lost += sequence - last - 1;
        sequences[thread] = sequence;
    }

    private void ReadSequencePoint(ReadOnlySpan<byte> content)
    {
        BlockReader reader = new(content);
        reader.Long();
        int threads = reader.Int();
        for (int i = 0; i < threads; i++)
        {
            long thread = reader.Long();
            uint sequence = (uint)reader.Int();
            if (!sequences.TryGetValue(thread, out uint last))
                sequences[thread] = sequence;
            else if (sequence - last is > 0 and < 1u << 31)
            {
                Lost += sequence - last;
                sequences[thread] = sequence;
            }
        }
    }

    private int Int() => BinaryPrimitives.ReadInt32LittleEndian(Next(4));

    private ReadOnlySpan<byte> Next(int count)
    {
        if (count is < 0 or > LargestBlock)
            throw new TraceException("the trace is damaged: a block's size is out of range");
        if (block.Length < count)
            block = new byte[count];
        stream.ReadExactly(block, 0, count);
        position += count;
        return block.AsSpan(0, count);
    }

    private static void Expect(byte tag, byte expected)
    {
        if (tag != expected)
            throw new TraceException("the trace is damaged: an object does not begin or end where it should");
    }
}
