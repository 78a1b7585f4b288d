using System.Runtime.InteropServices;
using FastXen.Core;
using FastXen.Platform.Firmware;
using FastXen.Platform.Firmware.Efi;

namespace FastXen.Platform.Tests.Firmware;

public sealed class EfiTests : IDisposable
{
    private const ulong Name = 0x200_0000, Vendor = 0x200_1000, Attributes = 0x200_2000, Size = 0x200_2010, Data = 0x200_3000;
    private const ulong Rt = 7; // non-volatile, boot and runtime access
    private readonly string folder = Directory.CreateTempSubdirectory("fastxen-efi").FullName;
    private TestMachine machine;

    public EfiTests() => machine = Start();

    private string Path => System.IO.Path.Combine(folder, "variables");

    public void Dispose()
    {
        machine.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private TestMachine Start() => new(configuration: new FirmwareConfiguration { RamSize = 0, Variables = new VariableStore(Path) });

    private void Restart()
    {
        machine.Dispose();
        machine = Start();
    }

    private void Put(ulong address, ReadOnlySpan<byte> bytes) => Assert.True(machine.Processor.TryWrite(address, bytes));

    private long Set(string name, ReadOnlySpan<byte> data, ulong attributes = Rt)
    {
        PutKey(name);
        Put(Data, data);
        return machine.Call(FirmwareService.SetVariable, Name, Vendor, attributes, (ulong)data.Length, Data).Status;
    }

    private void PutKey(string name)
    {
        Put(Name, MemoryMarshal.AsBytes((name + '\0').AsSpan()));
        Put(Vendor, new Guid("8be4df61-93ca-11d2-aa0d-00e098032b8c").ToByteArray());
    }

    private long Get(string name, ulong room, out byte[] data)
    {
        PutKey(name);
        machine.Memory.Write(Size, room);
        long status = machine.Call(FirmwareService.GetVariable, Name, Vendor, Attributes, Size, Data).Status;
        data = status == 0 ? machine.Bytes(Data, (int)machine.Memory.Read<ulong>(Size)) : [];
        return status;
    }

    [Fact]
    public void Variables_survive_a_restart_and_can_be_deleted()
    {
        Assert.Equal(EfiStatus.NotFound, Get("Boot0000", 100, out _));
        Assert.Equal(EfiStatus.Success, Set("Boot0000", [1, 2, 3]));
        Assert.Equal(EfiStatus.Success, Set("Boot0001", [4]));
        Restart();
        Assert.Equal(EfiStatus.Success, Get("Boot0000", 100, out byte[] data));
        Assert.Equal([1, 2, 3], data);
        Assert.Equal((uint)Rt, machine.Memory.Read<uint>(Attributes));
        Assert.Equal(EfiStatus.BufferTooSmall, Get("Boot0000", 2, out _));
        Assert.Equal(3ul, machine.Memory.Read<ulong>(Size));
        Assert.Equal(EfiStatus.Success, Set("Boot0000", []));
        Restart();
        Assert.Equal(EfiStatus.NotFound, Get("Boot0000", 100, out _));
        Assert.Equal(EfiStatus.Success, Get("Boot0001", 100, out _));
        Assert.Equal(["variables"], Directory.GetFiles(folder).Select(file => System.IO.Path.GetFileName(file)!));
    }

    [Fact]
    public void Names_are_enumerated_once_each()
    {
        foreach (string name in (string[])["A", "Bee", "\ud800odd"])
            Assert.Equal(EfiStatus.Success, Set(name, [1]));
        Restart();
        machine.Call(FirmwareService.GetNextHighMonotonicCount, Data); // kept as a variable, but not the guest's to see
        Put(Name, [0, 0]);
        Put(Vendor, new byte[16]);
        List<string> names = [];
        while (true)
        {
            machine.Memory.Write(Size, 64ul);
            long status = machine.Call(FirmwareService.GetNextVariableName, Size, Name, Vendor).Status;
            if (status == EfiStatus.NotFound)
                break;
            Assert.Equal(EfiStatus.Success, status);
            names.Add(new string(MemoryMarshal.Cast<byte, char>(machine.Bytes(Name, (int)machine.Memory.Read<ulong>(Size) - 2))));
        }
        Assert.Equal(["A", "Bee", "\ud800odd"], names);
        PutKey("");
        machine.Memory.Write(Size, 2ul);
        Assert.Equal(EfiStatus.BufferTooSmall, machine.Call(FirmwareService.GetNextVariableName, Size, Name, Vendor).Status);
        Assert.Equal(4ul, machine.Memory.Read<ulong>(Size));
        PutKey("nothing");
        Assert.Equal(EfiStatus.InvalidParameter, machine.Call(FirmwareService.GetNextVariableName, Size, Name, Vendor).Status);
    }

    [Fact]
    public void Quota_attributes_and_names_are_checked()
    {
        byte[] big = new byte[VariableStore.Quota / 2];
        Assert.Equal(EfiStatus.Success, Set("one", big));
        Assert.Equal(EfiStatus.OutOfResources, Set("two", big));
        Assert.Equal(EfiStatus.Success, Set("three", [1]));
        Assert.Equal(EfiStatus.NotFound, Get("two", 10, out _));
        Assert.Equal(EfiStatus.InvalidParameter, Set("volatile", [1], 6));
        Assert.Equal(EfiStatus.InvalidParameter, Set("hidden", [1], 3));
        Assert.Equal(EfiStatus.InvalidParameter, Set("unknown", [1], 0x87));
        Assert.Equal(EfiStatus.InvalidParameter, Set("", [1]));
        Assert.Equal(EfiStatus.InvalidParameter, machine.Call(FirmwareService.SetVariable, ulong.MaxValue, Vendor, Rt, 1, Data).Status);
        PutKey("huge");
        Assert.Equal(EfiStatus.OutOfResources, machine.Call(FirmwareService.SetVariable, Name, Vendor, Rt, ulong.MaxValue, Data).Status);
    }

    [Fact]
    public void A_damaged_file_is_named()
    {
        Set("Boot0000", [1, 2, 3]);
        byte[] good = File.ReadAllBytes(Path);
        for (int length = 0; length < good.Length; length++)
        {
            File.WriteAllBytes(Path, good[..length]);
            Assert.Contains(Path, Assert.Throws<InvalidDataException>(() => new VariableStore(Path)).Message);
        }
        for (int at = 0; at < good.Length; at++)
        {
            byte[] bad = [.. good];
            bad[at] ^= 0x10;
            File.WriteAllBytes(Path, bad);
            Assert.Throws<InvalidDataException>(() => new VariableStore(Path));
        }
    }

    [Fact]
    public void A_file_that_cannot_be_written_is_a_device_error_and_changes_nothing()
    {
        Assert.Equal(EfiStatus.Success, Set("kept", [1]));
        Directory.CreateDirectory(Path + ".new"); // in the way of the new file
        Assert.Equal(EfiStatus.DeviceError, Set("kept", [2]));
        Assert.Equal(EfiStatus.Success, Get("kept", 10, out byte[] data));
        Assert.Equal([1], data);
    }

    [Fact]
    public void The_clock_is_set_and_read()
    {
        Assert.Equal(EfiStatus.Success, machine.Call(FirmwareService.GetTime, Data, Size).Status);
        byte[] now = machine.Bytes(Data, 16);
        Assert.InRange(BitConverter.ToUInt16(now), 2024, 9999);
        byte[] set = [0xd1, 0x07, 2, 28, 23, 59, 58, 0, 0, 0, 0, 0, 0, 0, 0, 0]; // 2001-02-28 23:59:58
        Put(Data, set);
        Assert.Equal(EfiStatus.Success, machine.Call(FirmwareService.SetTime, Data).Status);
        Put(Data, new byte[16]);
        Assert.Equal(EfiStatus.Success, machine.Call(FirmwareService.GetTime, Data, 0).Status);
        Assert.Equal(2001, BitConverter.ToUInt16(machine.Bytes(Data, 2)));
        Put(Data, set);
        Put(Data + 3, [30]); // 30 February
        Assert.Equal(EfiStatus.InvalidParameter, machine.Call(FirmwareService.SetTime, Data).Status);
    }

    [Fact]
    public void Monotonic_count_goes_up_over_restarts()
    {
        Assert.Equal(EfiStatus.Success, machine.Call(FirmwareService.GetNextHighMonotonicCount, Data).Status);
        Assert.Equal(0u, machine.Memory.Read<uint>(Data));
        Restart();
        machine.Call(FirmwareService.GetNextHighMonotonicCount, Data);
        Assert.Equal(1u, machine.Memory.Read<uint>(Data));
    }

    [Theory]
    [InlineData(0ul, VcpuStop.Reboot)]
    [InlineData(1ul, VcpuStop.Reboot)]
    [InlineData(2ul, VcpuStop.PowerOff)]
    [InlineData(3ul, VcpuStop.None)]
    public void Reset_stops_the_processor(ulong type, VcpuStop expected)
    {
        machine.Call(FirmwareService.ResetSystem, type);
        Assert.Equal(expected, machine.Processor.StopReason);
    }

    [Fact]
    public void Virtual_addresses_reach_every_runtime_pointer()
    {
        const ulong region7 = 0xe000_0000_0000_0000;
        ulong system = FirmwareLayout.RuntimeData, runtime = machine.Memory.Read<ulong>(system + 88);
        ulong getTime = machine.Memory.Read<ulong>(runtime + 24), entry = machine.Memory.Read<ulong>(getTime);
        byte[] map = EfiMemoryMap.Encode(EfiMemoryMap.Build(128 * TestMachine.MiB, []));
        Put(Data, map);
        Assert.Equal(EfiStatus.NotFound, machine.Call(FirmwareService.SetVirtualAddressMap, 0, 48, 1, Data).Status);
        for (int at = 0; at < map.Length; at += 48)
            BitConverter.TryWriteBytes(map.AsSpan(at + 16), BitConverter.ToUInt64(map, at + 8) | region7);
        Put(Data, map);
        Assert.Equal(EfiStatus.InvalidParameter, machine.Call(FirmwareService.SetVirtualAddressMap, (ulong)map.Length, 48, 2, Data).Status);
        Assert.Equal(EfiStatus.Success, machine.Call(FirmwareService.SetVirtualAddressMap, (ulong)map.Length, 48, 1, Data).Status);
        Assert.Equal(runtime | region7, machine.Memory.Read<ulong>(system + 88));
        Assert.Equal(getTime | region7, machine.Memory.Read<ulong>(runtime + 24));
        Assert.Equal(entry | region7, machine.Memory.Read<ulong>(getTime));
        ulong fpswa = machine.Memory.Read<ulong>(EfiFpswa + 8);
        Assert.Equal(region7, fpswa & region7);
        Assert.Equal(FirmwareLayout.Entry(FirmwareService.Fpswa) | region7, machine.Memory.Read<ulong>(fpswa & ~region7));
        byte[] table = machine.Bytes(runtime, 112);
        uint crc = BitConverter.ToUInt32(table, 16);
        Array.Clear(table, 16, 4);
        Assert.Equal(crc, Crc32.Compute(table));
        Assert.Equal(EfiStatus.Unsupported, machine.Call(FirmwareService.SetVirtualAddressMap, (ulong)map.Length, 48, 1, Data).Status);
        machine.Memory.Write(Size, FirmwareLayout.RuntimeCode + 8);
        Assert.Equal(EfiStatus.Success, machine.Call(FirmwareService.ConvertPointer, 0, Size).Status);
        Assert.Equal(FirmwareLayout.RuntimeCode + 8 | region7, machine.Memory.Read<ulong>(Size));
    }

    private static ulong EfiFpswa => FirmwareLayout.RuntimeData + 0x600;

    [Fact]
    public void Boot_services_are_over() => Assert.Equal(EfiStatus.Unsupported, machine.Call(FirmwareService.BootService, 1, 2, 3).Status);
}
