using System.Diagnostics;
using System.Text;
using FastXen.Platform.Firmware;

namespace FastXen.Platform.Tests.Firmware;

public sealed class TableTests : IDisposable
{
    private readonly TestMachine machine = new(processors: 3);

    public void Dispose() => machine.Dispose();

    private ulong U64(ulong address) => machine.Memory.Read<ulong>(address);

    private uint U32(ulong address) => machine.Memory.Read<uint>(address);

    private string Text(ulong address, int length) => Encoding.ASCII.GetString(machine.Bytes(address, length));

    private static int Sum(byte[] bytes) => bytes.Sum(value => value) & 0xff;

    private ulong Configuration(string guid)
    {
        ulong system = FirmwareLayout.RuntimeData, tables = U64(system + 112);
        for (ulong i = 0; i < U64(system + 104); i++)
        {
            if (new Guid(machine.Bytes(tables + 24 * i, 16)) == new Guid(guid))
                return U64(tables + 24 * i + 16);
        }
        Assert.Fail($"no table {guid}");
        return 0;
    }

    private IEnumerable<(string Signature, ulong Address, byte[] Bytes)> AcpiTables()
    {
        ulong rsdp = Configuration("8868e871-e4f1-11d3-bc22-0080c73c8881");
        Assert.Equal("RSD PTR ", Text(rsdp, 8));
        Assert.Equal(0, Sum(machine.Bytes(rsdp, 20)));
        Assert.Equal(0, Sum(machine.Bytes(rsdp, 36)));
        ulong xsdt = U64(rsdp + 24);
        Assert.Equal("XSDT", Text(xsdt, 4));
        Assert.Equal("RSDT", Text(U32(rsdp + 16), 4));
        List<ulong> addresses = [xsdt, U32(rsdp + 16)];
        for (ulong at = xsdt + 36; at < xsdt + U32(xsdt + 4); at += 8)
            addresses.Add(U64(at));
        ulong fadt = addresses.Single(address => Text(address, 4) == "FACP");
        addresses.Add(U64(fadt + 140));
        return addresses.Select(address => (Text(address, 4), address, machine.Bytes(address, (int)U32(address + 4))));
    }

    [Fact]
    public void Crcs_of_the_efi_tables_are_right()
    {
        ulong system = FirmwareLayout.RuntimeData;
        Assert.Equal("IBI SYST", Text(system, 8));
        Assert.Equal("RUNTSERV", Text(U64(system + 88), 8));
        Assert.Equal("BOOTSERV", Text(U64(system + 96), 8));
        foreach (ulong table in (ulong[])[system, U64(system + 88), U64(system + 96)])
        {
            byte[] bytes = machine.Bytes(table, (int)U32(table + 12));
            uint crc = BitConverter.ToUInt32(bytes, 16);
            Array.Clear(bytes, 16, 4);
            Assert.Equal(crc, Crc32.Compute(bytes));
        }
        Assert.Equal(0xcbf4_3926u, Crc32.Compute("123456789"u8)); // the check value of this CRC
    }

    [Fact]
    public void Runtime_services_are_function_descriptors_of_entry_points()
    {
        ulong table = U64(FirmwareLayout.RuntimeData + 88);
        for (uint i = 0; i < 11; i++)
        {
            ulong entry = U64(U64(table + 24 + 8 * i));
            Assert.Equal(EntryBundle.Encode(FirmwareService.GetTime + i), machine.Bytes(entry, 16));
            Assert.True(machine.Firmware.IsFirmware(entry));
        }
        Assert.False(machine.Firmware.IsFirmware(FirmwareLayout.RuntimeData));
        Assert.False(machine.Firmware.IsFirmware(FirmwareLayout.PalCode - 16));
    }

    [Fact]
    public void Sal_system_table_adds_up_and_names_the_entry_points()
    {
        ulong table = Configuration("eb9d2d32-2d88-11d3-9a16-0090273fc14d");
        Assert.Equal("SST_", Text(table, 4));
        byte[] bytes = machine.Bytes(table, (int)U32(table + 4));
        Assert.Equal(0, Sum(bytes));
        int at = 96, entries = BitConverter.ToUInt16(bytes, 10);
        List<byte> types = [];
        for (int i = 0; i < entries; i++)
        {
            types.Add(bytes[at]);
            at += ((int[])[48, 32, 16, 32, 16, 16])[bytes[at]];
        }
        Assert.Equal(bytes.Length, at);
        Assert.Equal([0, 2, 5], types);
        Assert.Equal(EntryBundle.Encode(FirmwareService.Pal), machine.Bytes(BitConverter.ToUInt64(bytes, 104), 16));
        Assert.Equal(EntryBundle.Encode(FirmwareService.Sal), machine.Bytes(BitConverter.ToUInt64(bytes, 112), 16));
    }

    [Fact]
    public void Acpi_tables_add_up_and_are_all_there()
    {
        var tables = AcpiTables().ToList();
        Assert.Equal(["APIC", "DSDT", "FACP", "RSDT", "SPCR", "SRAT", "XSDT"], tables.Select(table => table.Signature).Order(StringComparer.Ordinal));
        Assert.All(tables, table => Assert.Equal(0, Sum(table.Bytes)));
        Assert.Equal(244, tables.Single(table => table.Signature == "FACP").Bytes.Length);
        Assert.Equal(80, tables.Single(table => table.Signature == "SPCR").Bytes.Length);
    }

    [Fact]
    public void Madt_has_the_iosapic_and_a_local_sapic_for_each_processor()
    {
        byte[] madt = AcpiTables().Single(table => table.Signature == "APIC").Bytes;
        Assert.Equal(MachineMap.LocalSapic, BitConverter.ToUInt32(madt, 36));
        List<byte> types = [];
        for (int at = 44; at < madt.Length; at += madt[at + 1])
        {
            if (madt[at] == 6)
                Assert.Equal(MachineMap.Iosapic, BitConverter.ToUInt64(madt, at + 8));
            if (madt[at] == 7)
                Assert.Equal(MachineMap.Lid(types.Count(type => type == 7)), (ulong)madt[at + 3] << 24 | (ulong)madt[at + 4] << 16);
            types.Add(madt[at]);
        }
        Assert.Equal([6, 7, 7, 7], types);
    }

    [Fact]
    public void Srat_puts_all_processors_and_all_ram_into_one_domain()
    {
        byte[] srat = AcpiTables().Single(table => table.Signature == "SRAT").Bytes;
        List<ulong> processors = [];
        List<(ulong, ulong)> ram = [];
        for (int at = 48; at < srat.Length; at += srat[at + 1])
        {
            Assert.Equal(1u, BitConverter.ToUInt32(srat, at + (srat[at] == 0 ? 4 : 28)));
            if (srat[at] == 0)
                processors.Add((ulong)srat[at + 3] << 24 | (ulong)srat[at + 8] << 16);
            else
                ram.Add((BitConverter.ToUInt64(srat, at + 8), BitConverter.ToUInt64(srat, at + 16)));
        }

        Assert.Equal([MachineMap.Lid(0), MachineMap.Lid(1), MachineMap.Lid(2)], processors);
        Assert.Equal(MachineMap.Ram(machine.Firmware.RamSize), ram);
    }

    [Fact]
    public void Hcdp_describes_the_uart_as_primary_console()
    {
        ulong hcdp = Configuration("f951938d-620b-42ef-8279-a84b79617898");
        byte[] bytes = machine.Bytes(hcdp, (int)U32(hcdp + 4));
        Assert.Equal(0, Sum(bytes));
        Assert.Equal(88, bytes.Length);
        Assert.Equal(3, bytes[8]);
        Assert.Equal(1, BitConverter.ToInt32(bytes, 36));
        Assert.Equal(115_200ul, BitConverter.ToUInt64(bytes, 48));
        Assert.Equal(1, bytes[56]); // I/O port space
        Assert.Equal(MachineMap.UartPort, BitConverter.ToUInt64(bytes, 60));
        Assert.Equal(4, bytes[81] & 4);
    }

    [Fact]
    public void Smbios_adds_up_and_its_structures_end()
    {
        ulong entry = Configuration("eb9d2d31-2d88-11d3-9a16-0090273fc14d");
        byte[] bytes = machine.Bytes(entry, 31);
        Assert.Equal(0, Sum(bytes));
        Assert.Equal(0, Sum(bytes[16..]));
        byte[] structures = machine.Bytes(BitConverter.ToUInt32(bytes, 24), BitConverter.ToUInt16(bytes, 22));
        int at = 0, largest = 0;
        List<byte> types = [];
        while (at < structures.Length)
        {
            int start = at;
            types.Add(structures[at]);
            at += structures[at + 1];
            while (structures[at] != 0 || structures[at + 1] != 0)
                at++;
            at += 2;
            largest = Math.Max(largest, at - start);
        }
        Assert.Equal([0, 1, 127], types);
        Assert.Equal(largest, BitConverter.ToUInt16(bytes, 8));
        Assert.Equal(types.Count, BitConverter.ToUInt16(bytes, 28));
        Assert.Contains("FastXen", Encoding.ASCII.GetString(structures));
    }

    [Fact]
    public void Iasl_reads_every_table()
    {
        if (!File.Exists("/usr/bin/iasl"))
            return; // acpica-tools is not installed here
        string folder = Directory.CreateTempSubdirectory("fastxen-acpi").FullName;
        try
        {
            foreach ((string signature, _, byte[] bytes) in AcpiTables())
            {
                string file = Path.Combine(folder, signature.ToLowerInvariant() + ".aml");
                File.WriteAllBytes(file, bytes);
                string output = Run("/usr/bin/iasl", folder, "-d", file);
                string text = File.ReadAllText(Path.ChangeExtension(file, ".dsl"));
                Assert.DoesNotContain("Invalid", text);
                Assert.DoesNotContain("Unknown", text);
                Assert.DoesNotContain("Warning", output);
                Assert.DoesNotContain("Error", output);
                if (signature == "DSDT")
                    CheckDsdt(folder, file, text);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void CheckDsdt(string folder, string file, string text)
    {
        foreach (string wanted in (string[])["Processor (C002, 0x02", "Device (PCI0)", "EisaId (\"PNP0A03\")", "EisaId (\"PNP0501\")", "WordBusNumber (ResourceProducer", "Name (_S5, Package", "0x001FFFFF"])
            Assert.Contains(wanted, text);
        string output = Run("/usr/bin/iasl", folder, "-ve", Path.ChangeExtension(file, ".dsl"));
        Assert.Contains("0 Errors", output);
    }

    private static string Run(string program, string folder, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output + errors.Result;
    }

    [Fact]
    public void Entry_bundles_are_what_the_assembler_makes()
    {
        // ia64-linux-gnu-as: { .mii; break.m 0x1f0010; nop.i 0; nop.i 0 ;; }
        Assert.Equal(Convert.FromHexString("01800078 00020000 00020000 00000400".Replace(" ", "", StringComparison.Ordinal)), EntryBundle.Encode(FirmwareService.GetTime));
    }
}
