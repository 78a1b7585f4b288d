using System.Runtime.InteropServices;

namespace FastXen.Platform.Firmware.Efi;

/// <summary>EFI's runtime services for variables (EFI specification 1.10, 6.1).</summary>
internal sealed class EfiVariableServices(VariableStore variables)
{
    private const int MaxNameBytes = 2048;
    private const int GuidSize = 16;

    /// <summary>GetVariable.</summary>
    public long GetVariable(ServiceCall call)
    {
        ulong attributesAt = call.In(2), sizeAt = call.In(3), dataAt = call.In(4);
        if (!TryReadKey(call, call.In(0), call.In(1), out VariableKey key) || key.Name.Length == 0 || !call.TryRead64(sizeAt, out ulong room))
            return EfiStatus.InvalidParameter;
        if (variables.Find(key) is not { } variable || (variable.Attributes & Variable.RuntimeAccess) == 0)
            return EfiStatus.NotFound;
        if (!call.TryWrite64(sizeAt, (ulong)variable.Data.Length))
            return EfiStatus.InvalidParameter;
        if (attributesAt != 0 && !call.TryWrite32(attributesAt, variable.Attributes))
            return EfiStatus.InvalidParameter;
        if (room < (ulong)variable.Data.Length)
            return EfiStatus.BufferTooSmall;
        return call.Vcpu.TryWrite(dataAt, variable.Data) ? EfiStatus.Success : EfiStatus.InvalidParameter;
    }

    /// <summary>GetNextVariableName.</summary>
    public long GetNextVariableName(ServiceCall call)
    {
        ulong sizeAt = call.In(0), nameAt = call.In(1), vendorAt = call.In(2);
        if (!call.TryRead64(sizeAt, out ulong room) || !TryReadKey(call, nameAt, vendorAt, out VariableKey key))
            return EfiStatus.InvalidParameter;
        VariableKey next;
        try
        {
            if (!variables.TryNext(key.Name.Length == 0 ? null : key, Variable.RuntimeAccess, out next))
                return EfiStatus.NotFound;
        }
        catch (KeyNotFoundException)
        {
            return EfiStatus.InvalidParameter;
        }
        ReadOnlySpan<byte> name = MemoryMarshal.AsBytes((next.Name + '\0').AsSpan());
        if (!call.TryWrite64(sizeAt, (ulong)name.Length))
            return EfiStatus.InvalidParameter;
        if (room < (ulong)name.Length)
            return EfiStatus.BufferTooSmall;
        return call.Vcpu.TryWrite(nameAt, name) && call.Vcpu.TryWrite(vendorAt, next.Vendor.ToByteArray())
            ? EfiStatus.Success : EfiStatus.InvalidParameter;
    }

    /// <summary>SetVariable.</summary>
    public long SetVariable(ServiceCall call)
    {
        uint attributes = (uint)call.In(2);
        ulong size = call.In(3);
        const uint known = Variable.NonVolatile | Variable.BootAccess | Variable.RuntimeAccess;
        if (!TryReadKey(call, call.In(0), call.In(1), out VariableKey key) || key.Name.Length == 0 || (attributes & ~known) != 0)
            return EfiStatus.InvalidParameter;
        Variable? old = variables.Find(key);
        if (old is not null && (old.Attributes & (Variable.RuntimeAccess | Variable.NonVolatile)) != (Variable.RuntimeAccess | Variable.NonVolatile))
            return EfiStatus.WriteProtected;

        Variable? value = null;
        // No data, or no access, deletes.
        if (size != 0 && (attributes & (Variable.BootAccess | Variable.RuntimeAccess)) != 0)
        {
            if (attributes != known)
                return EfiStatus.InvalidParameter; // once boot services have ended, only such variables can be made
            if (size > VariableStore.Quota)
                return EfiStatus.OutOfResources;
            value = new Variable(attributes, new byte[size]);
            if (!call.Vcpu.TryRead(call.In(4), value.Data))
                return EfiStatus.InvalidParameter;
        }
        else if (old is null)
        {
            return EfiStatus.NotFound;
        }
        return Store(key, value);
    }

    /// <summary>Sets a variable, or deletes it for null: the status.</summary>
    public long Store(VariableKey key, Variable? value)
    {
        try
        {
            return variables.TrySet(key, value) ? EfiStatus.Success : EfiStatus.OutOfResources;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return EfiStatus.DeviceError;
        }
    }

    // The name must end with a NUL within MaxNameBytes.
    private static bool TryReadKey(ServiceCall call, ulong nameAt, ulong vendorAt, out VariableKey key)
    {
        key = default;
        Span<byte> vendor = stackalloc byte[GuidSize];
        if (!call.Vcpu.TryRead(vendorAt, vendor))
            return false;
        Span<char> name = stackalloc char[MaxNameBytes / 2];
        for (int i = 0; i < name.Length; i++)
        {
            if (!call.Vcpu.TryRead(unchecked(nameAt + 2 * (ulong)i), MemoryMarshal.AsBytes(name.Slice(i, 1))))
                return false;
            if (name[i] == '\0')
            {
                key = new(new Guid(vendor), new string(name[..i]));
                return true;
            }
        }
        return false;
    }
}
