using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace FastXen.Platform.Firmware.Efi;

/// <summary>Name of an EFI variable.</summary>
public readonly record struct VariableKey(Guid Vendor, string Name);

/// <summary>Attributes and data of an EFI variable.</summary>
public sealed record Variable(uint Attributes, byte[] Data)
{
    /// <summary>Attribute: kept over a reset.</summary>
    public const uint NonVolatile = 1;
    /// <summary>Attribute: visible before ExitBootServices.</summary>
    public const uint BootAccess = 2;
    /// <summary>Attribute: visible after ExitBootServices.</summary>
    public const uint RuntimeAccess = 4;
}

/// <summary>
/// EFI variables, the non-volatile ones kept in a file that is replaced as a whole (written beside, flushed, renamed), so that a
/// crash leaves the old or the new state. Without a file they live as long as the object.
/// </summary>
public sealed class VariableStore
{
    /// <summary>Names and data of all variables together have at most this many bytes.</summary>
    public const int Quota = 128 << 10;

    private const int HeaderSize = 16;
    private static readonly byte[] Magic = "FXVARS1\n"u8.ToArray();

    private readonly string? path;
    private readonly Lock gate = new();
    // Insertion order is the order of GetNextVariableName.
    private readonly List<(VariableKey Key, Variable Value)> variables = [];

    /// <summary>Opens the store. Throws <see cref="InvalidDataException"/> with a sentence for the user when the file is not a store or is damaged.</summary>
    public VariableStore(string? path)
    {
        this.path = path;
        if (path is not null && File.Exists(path))
            Load(path);
    }

    /// <summary>Finds a variable.</summary>
    public Variable? Find(VariableKey key)
    {
        lock (gate)
        {
            int index = variables.FindIndex(entry => entry.Key == key);
            return index < 0 ? null : variables[index].Value;
        }
    }

    /// <summary>The key after <paramref name="key"/> among the variables with all of <paramref name="attributes"/>, the first for null. False at the end.</summary>
    /// <exception cref="KeyNotFoundException"><paramref name="key"/> names no variable.</exception>
    public bool TryNext(VariableKey? key, uint attributes, out VariableKey next)
    {
        lock (gate)
        {
            int index = -1;
            if (key is { } previous && (index = variables.FindIndex(entry => entry.Key == previous)) < 0)
                throw new KeyNotFoundException();
            index = variables.FindIndex(index + 1, entry => (entry.Value.Attributes & attributes) == attributes);
            next = index < 0 ? default : variables[index].Key;
            return index >= 0;
        }
    }

    /// <summary>
    /// Sets a variable, or deletes it (null). False when the quota would be exceeded. An <see cref="IOException"/> or
    /// <see cref="UnauthorizedAccessException"/> of the file leaves the variable as it was.
    /// </summary>
    public bool TrySet(VariableKey key, Variable? value)
    {
        lock (gate)
        {
            int index = variables.FindIndex(entry => entry.Key == key);
            if (index < 0 && value is null)
                return true;
            (VariableKey, Variable)[] before = [.. variables];
            bool durable = index >= 0 && (variables[index].Value.Attributes & Variable.NonVolatile) != 0
                || value is not null && (value.Attributes & Variable.NonVolatile) != 0;
            if (value is null)
                variables.RemoveAt(index);
            else if (index >= 0)
                variables[index] = (key, value);
            else
                variables.Add((key, value));
            bool fits = variables.Sum(SizeOf) <= Quota;
            bool done = false;
            try
            {
                if (fits && durable && path is not null)
                    Save(path);
                done = fits;
            }
            finally
            {
                if (!done)
                {
                    variables.Clear();
                    variables.AddRange(before);
                }
            }
            return done;
        }
    }

    private static int SizeOf((VariableKey Key, Variable Value) entry) => 32 + 2 * entry.Key.Name.Length + entry.Value.Data.Length;

    private void Save(string file)
    {
        TableBuffer body = new();
        foreach ((VariableKey key, Variable value) in variables)
        {
            if ((value.Attributes & Variable.NonVolatile) == 0)
                continue;
            ReadOnlySpan<byte> name = MemoryMarshal.AsBytes(key.Name.AsSpan()); // any 16-bit units, not only valid UTF-16
            body.Bytes(key.Vendor.ToByteArray()).U32(value.Attributes).U32((uint)name.Length).U32((uint)value.Data.Length).Bytes(name).Bytes(value.Data);
        }
        TableBuffer whole = new TableBuffer().Bytes(Magic).U32((uint)body.Length).U32(Crc32.Compute(body.Span)).Bytes(body.Span);

        string beside = file + ".new";
        using (FileStream stream = new(beside, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            stream.Write(whole.Span);
            stream.Flush(flushToDisk: true);
        }
        File.Move(beside, file, overwrite: true);
    }

    private void Load(string file)
    {
        byte[] bytes;
        using (FileStream stream = new(file, FileMode.Open, FileAccess.Read))
        {
            if (stream.Length > HeaderSize + 2 * Quota)
                throw Damaged(file, "it is too large");
            bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
        }
        if (!bytes.AsSpan().StartsWith(Magic) || bytes.Length < HeaderSize)
            throw Damaged(file, "it does not begin as one");
        ReadOnlySpan<byte> body = bytes.AsSpan(HeaderSize);
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(8)) != body.Length)
            throw Damaged(file, "its length is wrong");
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(12)) != Crc32.Compute(body))
            throw Damaged(file, "its checksum is wrong");
        while (body.Length > 0)
        {
            if (body.Length < 28)
                throw Damaged(file, "a record is cut off");
            Guid vendor = new(body[..16]);
            uint attributes = BinaryPrimitives.ReadUInt32LittleEndian(body[16..]);
            uint nameLength = BinaryPrimitives.ReadUInt32LittleEndian(body[20..]);
            uint dataLength = BinaryPrimitives.ReadUInt32LittleEndian(body[24..]);
            body = body[28..];
            if ((ulong)nameLength + dataLength > (ulong)body.Length || (nameLength & 1) != 0)
                throw Damaged(file, "a record is cut off");
            string name = new(MemoryMarshal.Cast<byte, char>(body[..(int)nameLength]));
            variables.Add((new(vendor, name), new(attributes, body.Slice((int)nameLength, (int)dataLength).ToArray())));
            body = body[(int)(nameLength + dataLength)..];
        }
    }

    private static InvalidDataException Damaged(string file, string why) =>
        new($"{file} is not a file of EFI variables: {why}; remove it to start with none");
}
